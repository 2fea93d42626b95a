/* reload: the jurisdiction loaded anew while the daemon serves. A thread of its own reads and checks the files, so that
 * neither the loop nor a query waits for them; the writer checks the new policy against the open cases and swaps it
 * whole, or nothing is changed. One load at a time: whoever asks while one is under way gets the next, which sees the
 * files as they are now. Everything here is for the loop's thread but where it says otherwise. */
#ifndef ENGINE_RELOAD_H
#define ENGINE_RELOAD_H

#include <sys/queue.h>

#include "engine/engine.h"

#define RELOAD_ASKS_MOST 32 /* waiting for one load, and for the next */

enum reload_end {
	RELOAD_IN_FORCE,  /* another policy is in force */
	RELOAD_UNCHANGED, /* the files are those of the policy in force */
	RELOAD_REFUSED    /* nothing was changed; why says so, problems where */
};

struct reload_result {
	enum reload_end end;
	const struct problems *problems; /* those that refused it, and warnings */
	struct refusal why;              /* when refused */
};

/* One who asked, a heap block with this first. */
struct reload_ask {
	void (*done)(struct reload_ask *a, const struct reload_result *r); /* owns a from there */
	char who[COMMAND_ID_MOST + 1];                                     /* who asks; "": a signal */
	STAILQ_ENTRY(reload_ask) next;
};

/* false: too many wait already; a stays the caller's. Asks that are not done when the engine ends are freed. */
_Bool engine_reload(struct engine *e, struct reload_ask *a) MUST_USE;

/* ---- for the engine ---- */
struct reload;
struct reload *reload_new(struct engine *e, const struct reload_hooks *hooks, int wake_fd) MUST_USE;
void reload_drain(struct reload *r);
_Bool reload_idle(const struct reload *r);
/* Before the engine's threads end: waits for a load under way. NULL is fine. */
void reload_free(struct reload *r);
_Bool reload_ask(struct reload *r, struct reload_ask *a) MUST_USE;

#endif
