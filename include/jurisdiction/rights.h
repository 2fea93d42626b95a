/* rights: who may do what, where and when: role × action × area × phase as one table. Every door, query and act asks it;
 * nothing else in the program decides by a person's role. What is in no row is allowed to nobody.
 *
 * A row is an action, the phases of the loop it reaches, and the roles that have it in each scope:
 *   own   what is the person's own: what it reported (for a gateway: what it reported for its people), what it is asked to
 *         verify or the grid whose duty it has, what its cameras saw; its own points and notices
 *   unit  what its unit handles, helps with or is called to
 *   area  what lies in the person's area (people.csv); a case that is still to be located lies in everybody's
 *   all   wherever it is
 * A row may also name roles that shut it: who handles is the party complained about and never sees who complained, whatever
 * other role it holds.
 * The guards of the closed loop (a checker is not the handler, …) come after it and stay where they are.
 *
 * A street may take rights away, never add any: rights.csv in the jurisdiction's folder, a row for each that goes:
 *   rights.csv     action,role,scope,phase     scope: own, unit, area, all or *; phase: discover … ended, none or *
 * It may be absent, and is read, checked and replaced whole with the rest of the policy.
 *
 * To add an action:
 *   1. a name in enum right (jurisdiction/rights_actions.h): an act on a case has its number in workflow/domain.h, anything else the next free one;
 *   2. its line in daemon/jurisdiction/rights.c; a second line of the same action adds to the first;
 *   3. whoever serves it asks rights_may; a request of the protocol names it in daemon/intake/requests.c;
 *   4. `make docs` prints docs/rights.md anew.
 * tests/unit/test_rights.c fails for a request or an askable act without a row, and tests/system/test_rights_matrix.py
 * until it knows how to try the new cells on a running daemon (a line in its tables ACTS, READS or REQUESTS). A new role (jurisdiction/roles.h) is in no row but those
 * of EVERYBODY.
 *
 * Immutable with its policy; any thread. */
#ifndef JURISDICTION_RIGHTS_H
#define JURISDICTION_RIGHTS_H

#include <stdint.h>
#include <stdio.h>

#include "base/refusal.h"
#include "jurisdiction/rights_actions.h"
#include "jurisdiction/roles.h"

struct policy;
struct person;

enum rights_scope { RIGHTS_OWN, RIGHTS_UNIT, RIGHTS_AREA, RIGHTS_ALL, RIGHTS_SCOPES };

/* Where in the loop the case is that it is done to; RIGHTS_NO_CASE: it is done to none. */
enum rights_phase {
	RIGHTS_NO_CASE,
	RIGHTS_DISCOVER,
	RIGHTS_HANDLE,
	RIGHTS_FEEDBACK,
	RIGHTS_REWARD,
	RIGHTS_ENDED,
	RIGHTS_PHASES
};

struct right_row {
	enum right right;
	const char *name, *what;       /* stable name; what it is, for the docs */
	unsigned phases;               /* bits 1 << rights_phase */
	uint32_t roles[RIGHTS_SCOPES]; /* who has it in each scope */
	uint32_t never;                /* who holds one of these has none of that, whatever else it holds */
	_Bool before_login;            /* anybody who can connect */
};

/* What it would be done to. */
struct rights_on {
	int64_t area; /* 15 or 12 digits; 0: still to be located; RIGHTS_WHOLE: the whole jurisdiction */
	enum rights_phase phase;
	_Bool own, unit; /* how the asker stands to it */
};
#define RIGHTS_WHOLE INT64_C(-1)

/* The rows as they are built in, in the order of the docs; *count is set. */
const struct right_row *rights_rows(size_t *count);
const struct right_row *right_row(enum right right); /* its first; NULL: none */
const char *right_name(enum right right);            /* "dispatch"; "none" */
enum right right_from_name(const char *name);        /* RIGHT_NONE when unknown */
const char *rights_scope_name(enum rights_scope scope);
const char *rights_phase_name(enum rights_phase phase); /* "discover"; "none" without a case */

/* ---- asking ---- */

/* on NULL: something that concerns no case, no area, and is nobody's own. */
_Bool rights_may(const struct policy *p, const struct person *who, enum right right,
                 const struct rights_on *on) MUST_USE;
/* The phases in which it may be done to this; on->phase does not matter. */
unsigned rights_phases(const struct policy *p, const struct person *who, enum right right, const struct rights_on *on);
/* Whether the person has it by its area, or for everything: what it needs for what is nobody's in particular. */
_Bool rights_has_somewhere(const struct policy *p, const struct person *who, enum right right) MUST_USE;
/* Whether the person has it anywhere at all. */
_Bool rights_has(const struct policy *p, const struct person *who, enum right right) MUST_USE;
/* Says which right is missing, for what rights_may denies; always false. The area that something lies in is told only to
 * who lacks no more than that. */
_Bool rights_refuse(const struct policy *p, const struct person *who, enum right right, const struct rights_on *on,
                    const char *rule, struct refusal *why);
/* Whether an account is the person's own, or for a gateway one of its people's: "<gateway>/…". NULL is nobody's. */
_Bool rights_owns(const struct person *who, const char *account);
/* Where something done to this person is done: its area, the whole jurisdiction; NULL, who is gone from the policy, lies in
 * everybody's. */
int64_t rights_area_of(const struct person *p);
/* Whether a person's area reaches this one: see struct rights_on. */
_Bool rights_reach(const struct policy *p, const struct person *who, int64_t area) MUST_USE;
/* The roles that shut it in this scope to who holds one of them. */
uint32_t rights_never(const struct policy *p, enum right right, enum rights_scope scope);
/* The roles that have it in this scope and phase under the policy. */
uint32_t rights_roles(const struct policy *p, enum right right, enum rights_scope scope, enum rights_phase phase);

/* The built-in table as Markdown, roles across and actions down, for docs/rights.md. */
void rights_print(FILE *to);

#endif
