/* known: is it already known 是否已知? Of the open cases near a new one, the one it surely is and the one it perhaps is.
 * Looks at cases of its category and of the category's family; a case settled already, or an alarm nobody has confirmed,
 * is never surely the same, because nobody is at work on it. Costs the same whatever the archive holds. */
#ifndef WORKFLOW_KNOWN_H
#define WORKFLOW_KNOWN_H

#include "jurisdiction/policy.h"
#include "workflow/casebook.h"

#define KNOWN_KIN_MOST 8 /* categories of a family that are looked at */

struct known {
	const struct case_file *sure;  /* NULL: none */
	const struct case_file *maybe; /* NULL: none; the other best one when sure is given */
};

/* c: the new case, not in the casebook yet; k: its category. */
struct known known_find(const struct casebook *b, const struct policy_rules *r, const struct category *k,
                        const struct case_file *c, int64_t now_ms);

#endif
