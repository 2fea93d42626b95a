/* alarm_span: one thing that a camera goes on seeing (活动期), as a fact: as it is after a post. */
#ifndef WORKFLOW_ALARM_SPAN_H
#define WORKFLOW_ALARM_SPAN_H

#include <stdint.h>

#define ALARM_COUNT_MOST 1000000000 /* posts */
#define COMMAND_EVENT_MOST 128      /* bytes of a camera gateway's own event id */

struct alarm_span {
	int64_t id; /* rising; the same for as long as it is remembered */
	const char *camera;
	const char *channel;   /* of the device; NULL: it gave none */
	const char *event;     /* the gateway's own id; NULL: all that the camera sees of this category */
	int32_t category;      /* that the registry gives its label */
	int32_t case_category; /* that its case had */
	int64_t case_id;       /* 0: it has not lasted long enough to be one */
	int64_t began_ms;      /* by the camera's clock */
	int64_t last_ms;       /* when it was heard of last */
	int64_t over_ms;       /* over, when it is silent until after this */
	int32_t count;         /* posts */
	_Bool ended;           /* the camera has said that it is over */
};

#endif
