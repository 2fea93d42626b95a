/* world: the pure workflow on a fake clock: policy, casebook, time, and everything that was ever decided in it. No
 * network, no SQL. After every step the domain's invariants are checked on what the step touched. */
#ifndef TESTS_SCENARIO_WORLD_H
#define TESTS_SCENARIO_WORLD_H

#include "base/digest.h"
#include "cover.h"
#include "jurisdiction/policy.h"
#include "script.h"
#include "workflow/decide.h"

/* One case with all that happened to it, named by the script. */
struct told {
	const char *name; /* NULL: nobody named it */
	struct case_file last;
	struct fact *events;
	size_t count, room;
};

struct world {
	struct script *script;
	struct cover *cover;
	const struct policy *policy;
	const struct policy *
		*usual;   /* the runner's: the sample as most scenarios want it; NULL until the first has loaded it */
	char folder[256]; /* of a changed copy of the sample; "" while the sample itself is used */
	struct casebook *book;
	struct digester *digester;
	struct facts facts;
	int64_t now_ms;
	struct told *cases; /* in order of their opening */
	size_t case_count, case_room;
	struct notice_fact *notices;
	size_t notice_count, notice_room;
	struct ledger_fact *ledger;
	size_t ledger_count, ledger_room;
	int64_t fired;          /* timers, in the last wait */
	struct outcome outcome; /* of the last command */
	int pending_line;       /* where a command stands whose outcome nobody has stated yet; 0: none */
	int keys;
	size_t rows_gone;   /* taken out of the jurisdiction */
	_Bool names_seen;   /* of a file being widened */
	_Bool sample_hours; /* the working hours and days of the sample count, not all 24 hours of each day */
	_Bool started;
	_Bool changed; /* the folder since it was loaded: a reload must come first */
};

/* usual outlives the world, and whoever has it releases what is in it; NULL for a world that takes no step. */
void world_open(struct world *w, struct script *s, struct cover *c, const struct policy **usual);
void world_close(struct world *w);

/* Change the jurisdiction in a copy of its own: before the first step, or to be loaded by world_reload. */
void world_rule(struct world *w, const char *key, const char *value);
void world_hours(struct world *w); /* the sample's working hours count */
void world_append(struct world *w, const char *file, const char *row);
/* Takes every row out that has this text in it. */
void world_without(struct world *w, const char *file, const char *text);
/* One more column, empty in every row there is. */
void world_column(struct world *w, const char *file, const char *name);
/* The changed jurisdiction takes over, and every open case is looked at; or it is refused with a problem that has this
 * text in it (NULL: it must not be). */
void world_reload(struct world *w, const char *refused);

struct told *world_case(struct world *w, int64_t id);        /* NULL: unknown */
struct told *world_named(struct world *w, const char *name); /* complains and gives NULL when unknown */

/* Time goes on; timers fire in order, each at its own moment. */
void world_advance(struct world *w, int64_t to_ms);
/* Decides and, when accepted, applies. Fills outcome. */
void world_decide(struct world *w, struct command *c);

/* invariants.c: what must hold of a case, and of the whole. Complains. */
void invariants_of_case(struct world *w, const struct told *t);
void invariants_of_all(struct world *w);

/* acts.c: "<who> <does> …". */
void act_step(struct world *w);
/* "=> …": how the last command came out. */
void act_outcome(struct world *w);
/* A command whose outcome was not stated must have been accepted. */
void act_settle(struct world *w);
/* expect.c: "expect …". */
void expect_step(struct world *w);

#endif
