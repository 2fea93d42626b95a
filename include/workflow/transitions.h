/* transitions: the table of the closed loop. One row says: from these states, this act, by these people, under this
 * guard, leads there. Everything that ever happens to a case goes through a row; docs/workflow.md is generated from it. */
#ifndef WORKFLOW_TRANSITIONS_H
#define WORKFLOW_TRANSITIONS_H

#include <stdio.h>

#include "workflow/decide.h"

/* How somebody stands to the case that may act. Which roles may is not said here but in jurisdiction/rights.h, by the act's
 * row: WHO_BY_ROLE those of its scopes area and all; the relations to a unit those of unit; the others those of own. */
enum who {
	WHO_BY_ROLE = 1 << 0,
	WHO_SYSTEM = 1 << 16,       /* timers and automatic steps */
	WHO_ITS_REPORTER = 1 << 17, /* or the gateway that reported for it */
	WHO_ITS_HANDLER = 1 << 18,  /* somebody of the unit it was dispatched to */
	WHO_ITS_HELPER = 1 << 19,   /* somebody of a co-handling unit */
	WHO_ITS_WORKER = 1 << 20,   /* the worker asked to verify */
	WHO_GRIDS_WORKER = 1 << 21, /* who has the duty in the grid now */
	WHO_WHISTLED = 1 << 22,     /* somebody of a whistled unit */
	WHO_CAMERA_OWNER = 1 << 23  /* the gateway the camera is registered for */
};

struct decision;

struct transition {
	enum act act;
	uint32_t from;                      /* bits 1 << state; 1 << STATE_NONE opens a case */
	enum state to;                      /* STATE_NONE: the state stays */
	uint32_t who;                       /* enum who bits */
	_Bool (*guard)(struct decision *d); /* NULL: none; refuses by refuse() */
	void (*proceed)(struct decision *d);
	const char *guard_words; /* the guard in words, for the docs */
};

/* The rows, in the order of the loop; *count is set. */
const struct transition *transitions(size_t *count);
/* The row for this act from this state; NULL: the table has none. */
const struct transition *transition_find(enum act act, enum state from);
/* Whether the table lets this act lead from here to there. */
_Bool transition_allowed(enum act act, enum state from, enum state to);
/* The right that the act is, and how somebody may stand to a case that asks for it in whatever state (0: nobody may). */
enum right transition_right(enum act act);
uint32_t transition_who(enum act act);
/* Whether a client may ask for it on a case (some row lets somebody other than the system). */
_Bool transition_askable(enum act act);
/* The table as Markdown, for docs/workflow.md. */
void transitions_print(FILE *to);

#endif
