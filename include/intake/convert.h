/* convert: messages from a peer become commands here, with every check on their bytes, or a refusal that names its rule.
 * Beyond this header no protobuf type goes. What the checks cannot know (does the case exist, may this person do it) is
 * the workflow's to judge. */
#ifndef INTAKE_CONVERT_H
#define INTAKE_CONVERT_H

#include <stdint.h>

#include "base/digest.h"
#include "base/refusal.h"
#include "gridloop.pb-c.h"
#include "jurisdiction/policy.h"
#include "workflow/command_pool.h"

/* Who sends, as its door has authenticated it. */
struct sender {
	const struct person *person;
	int64_t credential;   /* by which one it has shown who it is; 0: by one that stands in people.csv */
	const char *channel;  /* static: "tcp", "redis", "camera" */
	int64_t now_ms;       /* the daemon's clock */
	_Bool replay_clock;   /* the daemon runs on the replay clock: replay_at_ms may be given */
	int64_t replay_at_ms; /* as the frame has it; 0: none */
	struct digester *digester;
	struct command_pool *pool; /* NULL: none */
};

/* Whether a frame may carry this replay_at_ms: only a daemon on the replay clock takes any. Asked by those below too. */
_Bool convert_replay_at(int64_t replay_at_ms, _Bool replay_clock, struct refusal *why) MUST_USE;

/* Bytes that a token takes in the block of a command that makes one: its door puts it there. */
#define CONVERT_TOKEN_SIZE 80

/* Each returns a sealed command, or NULL with *why. */
struct command *convert_report(const Gridloop__V1__Report *m, const struct sender *from, struct refusal *why) MUST_USE;
struct command *convert_alarm(const Gridloop__V1__Alarm *m, const struct sender *from, struct refusal *why) MUST_USE;
struct command *convert_action(const Gridloop__V1__Action *m, const struct sender *from, struct refusal *why) MUST_USE;
struct command *convert_points_entry(const Gridloop__V1__PointsEntry *m, const struct sender *from,
                                     struct refusal *why) MUST_USE;
struct command *convert_seen(const Gridloop__V1__NoticesSeen *m, const struct sender *from,
                             struct refusal *why) MUST_USE;
struct command *convert_declare(const Gridloop__V1__DeclareEmergency *m, const struct sender *from,
                                struct refusal *why) MUST_USE;
struct command *convert_lift(const Gridloop__V1__LiftEmergency *m, const struct sender *from,
                             struct refusal *why) MUST_USE;
struct command *convert_issue(const Gridloop__V1__IssueCredential *m, const struct sender *from,
                              struct refusal *why) MUST_USE;
struct command *convert_rotate(const Gridloop__V1__RotateCredential *m, const struct sender *from,
                               struct refusal *why) MUST_USE;
struct command *convert_revoke(const Gridloop__V1__RevokeCredential *m, const struct sender *from,
                               struct refusal *why) MUST_USE;
/* from->person: the one who is to be the administrator. */
struct command *convert_first(const Gridloop__V1__FirstAdministrator *m, const struct sender *from,
                              struct refusal *why) MUST_USE;
struct command *convert_erase(const Gridloop__V1__ErasePerson *m, const struct sender *from,
                              struct refusal *why) MUST_USE;
struct command *convert_clock(const Gridloop__V1__AdvanceClock *m, const struct sender *from,
                              struct refusal *why) MUST_USE;

#endif
