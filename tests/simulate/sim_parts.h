/* What the files of the simulation ask of each other. */
#ifndef SIMULATE_SIM_PARTS_H
#define SIMULATE_SIM_PARTS_H

#include "sim.h"

/* sim_turns.c: time, and who gets it. */
void turns_close(void);
/* What happens until then while the daemon is down, and nobody is heard. */
void turns_pass(int64_t until_us);
void turns_push(struct command *c);

/* sim_net.c: senders, what is lost on the way, the stream. */
struct command *net_wish(enum command_kind kind, const char *actor, int refs);
void net_send(struct command *wish, _Bool keyed, _Bool by_stream); /* owns the wish */
void net_event(const struct event *e);
void net_answer(struct command *c); /* the daemon's answer; owns it */
void net_daemon_is_back(void);      /* what the stream still holds for it is given again */
void net_close(void);

/* sim_street.c: the people. */
void street_event(const struct event *e);
void street_saw(const struct fact *f); /* something was decided; somebody will look at it */

/* sim_rules.c: what must hold, of each step, after a recovery, and of the whole. */
void rules_day(void);
void rules_recovered(void);
void rules_proof(const char *path);

/* sim_plant.c */
void plant(enum planted what);
const char *planted_name(enum planted what);

#endif
