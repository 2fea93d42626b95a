/* case_file: the state of one case (案卷), as the casebook holds it and the open_case row stores it. A flat value: a copy
 * is a draft. Texts are interned by the casebook and outlive every case. Everything here except the report's own
 * immutable particulars can be recomputed by replaying the case's facts through case_apply. */
#ifndef WORKFLOW_CASE_FILE_H
#define WORKFLOW_CASE_FILE_H

#include <stdint.h>

#include "workflow/address.h"
#include "workflow/domain.h"
#include "workflow/place.h"

#define CASE_UNITS_MOST 4

struct case_file {
	int64_t id;
	int64_t last_event; /* id of its newest event; events chain backwards through prev */
	int64_t grid;       /* 15 digits: where duty lies now; 0: to be located */
	int64_t reported_grid; /* the one in force when it was reported, once duty has moved on; 0: grid still is that one */
	int32_t category;
	int32_t lat_e7, lon_e7;
	struct address_key address; /* of the report's address */
	_Bool grid_said; /* a person said the grid, against the place or without one: it holds while that grid does */
	uint8_t told; /* enum told: what the report's position was worth; any but TOLD_LOCATED: lat, lon are PLACE_NONE
	                 until somebody locates it */
	uint8_t state, reporter_kind, level, rating;
	uint8_t extensions, suspensions, reopened, reworked, returned, supervised;
	uint8_t doubts;      /* enum doubt: why its points wait for a supervisor */
	uint8_t photo_roles; /* what its evidence shows: PHOTO_BIT of every role, and PHOTO_REPORTED */
	_Bool anonymous, late,
		stage_overdue; /* late: the handling limit was missed at least once; stage_overdue: told once */
	const char *reporter;  /* account; NULL: anonymous */
	const char *actor;     /* who reported it: the reporter or its gateway */
	const char *camera, *alarm_event;     /* cameras only */
	const char *handler;                  /* unit */
	const char *worker;                   /* person asked to verify */
	const char *checker;                  /* person checking */
	const char *handled_by;               /* person who said handled */
	const char *helpers[CASE_UNITS_MOST]; /* co-handling units 协办 */
	const char *whistled[CASE_UNITS_MOST];
	uint8_t exempted;                       /* the round whose miss is exempted: reopened + 1; 0: none */
	int64_t helper_due_ms[CASE_UNITS_MOST]; /* own clocks; while the case is paused, as they were when it stopped */
	uint8_t helper_count, helper_done;      /* done: bit i for helpers[i] */
	uint8_t helper_late, helper_told;       /* late: missed its limit, for good; told: of the present limit */
	const char *basis;                      /* contract or "post:doctor" that the handler was found by, or NULL */
	int64_t basis_until_ms;                 /* when that ends, while nobody has signed in; 0: not known to end */
	uint8_t whistled_count, whistled_answered;
	int64_t reported_ms, filed_ms, dispatched_ms, handled_ms, closed_ms, reviewed_ms, ended_ms; /* 0: not yet */
	int64_t first_reply_ms;        /* first staff act after the report */
	int64_t since_ms;              /* in this state since */
	int64_t spent_ms[STAGE_COUNT]; /* up to since_ms */
	int64_t stage_due_ms;          /* when the present state's own timer fires; 0: none */
	int64_t accept_left_ms;        /* of the accept timer while VERIFYING */
	int64_t limit_ms;              /* the category's, when dispatched; in milliseconds of its unit */
	uint8_t limit_unit;            /* enum limit_unit */
	int64_t handle_due_ms;         /* absolute; 0: the handling clock does not run */
	int64_t handle_set_event;   /* the event that set handle_due_ms: emergencies declared later it does not know */
	int64_t handle_warn_ms;     /* from then on the light is yellow; 0: the handling clock does not run */
	int64_t handle_left_ms;     /* while paused, in the limit's unit; negative when already late */
	int64_t escalate_at_ms;     /* next escalation; 0: none */
	int64_t asked_extension_ms; /* asked, not yet granted; in the limit's unit */
	int64_t asked_suspend_until_ms;
	int64_t merged_into;   /* 0: none */
	int64_t last_alarm_ms; /* cameras: when it was last seen again */
	int32_t alarm_count;
	int32_t points; /* given to the first reporter at REWARDED */
};

/* Whether its place is known: a position, and a grid that holds it. What is still to be located has none. */
static inline _Bool case_is_located(const struct case_file *c)
{
	return c->grid != 0 && c->lat_e7 != PLACE_NONE && c->lon_e7 != PLACE_NONE;
}

#endif
