/* follower: a case that was merged into another one, as its master remembers it: whom to tell, and whom to thank. */
#ifndef WORKFLOW_FOLLOWER_H
#define WORKFLOW_FOLLOWER_H

#include <stdint.h>

struct follower {
	int64_t case_id;
	int32_t category;
	const char *reporter; /* NULL: anonymous */
	uint8_t reporter_kind;
	uint8_t doubts; /* enum doubt */
};

#endif
