/* reloader: what a reload means for the whole daemon: the configuration and the jurisdiction are read anew, the settings
 * that can change while it runs change, and the service manager is told. SIGHUP and `gridloop reload` come here. */
#ifndef SERVE_RELOADER_H
#define SERVE_RELOADER_H

#include "engine/engine.h"
#include "serve/options.h"

struct redis_door;
struct tcp_door;
struct reloader;

/* The options outlive it. */
struct reloader *reloader_new(const struct options *o) MUST_USE;
void reloader_free(struct reloader *r); /* after the engine; NULL is fine */
struct reload_hooks reloader_hooks(struct reloader *r);
/* Once these are there: whose limits are changed (redis may be NULL), and what the service manager is told when all is
 * well again. */
void reloader_serves(struct reloader *r, struct tcp_door *tcp, struct redis_door *redis, const char *status);
/* Nobody waits for the answer; it is in the log. */
void reloader_hangup(struct engine *e);

#endif
