/* looks: what the photos of recent reports look like, so that the same picture under another report is noticed. A look
 * is 64 bits (store/look.h makes them): alike pictures differ in few of them. Memory holds the newest LOOKS_MOST. */
#ifndef WORKFLOW_LOOKS_H
#define WORKFLOW_LOOKS_H

#include <stdint.h>

#include "base/must.h"

#define LOOKS_MOST 65536
#define LOOKS_APART                                                                                                    \
	3 /* bits in which two pictures may differ and still be taken for the same: a saved copy of a photo
                         differs in 0 to 2, two photos of one place taken a step apart in 10 and more */

struct looks;

struct looks *looks_new(void) MUST_USE;
void looks_free(struct looks *l); /* NULL is fine */
/* Of a case's photo; its category too, for the number that people know it by. */
struct look_owner {
	int64_t case_id;
	int32_t category;
};

/* look 0 is none: not kept, never found. */
void looks_add(struct looks *l, uint64_t look, struct look_owner owner);
/* A case, other than this one, that has a photo alike; NULL: none. Good until the next looks_add. */
const struct look_owner *looks_find(const struct looks *l, uint64_t look, int64_t case_id);

#endif
