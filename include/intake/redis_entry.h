/* redis_entry: the bytes of one stream entry become commands, or a refusal for the dead letters. Knows nothing of Redis
 * connections, so that it can be tested with bytes alone. */
#ifndef INTAKE_REDIS_ENTRY_H
#define INTAKE_REDIS_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"
#include "intake/deepstream.h"
#include "jurisdiction/policy.h"
#include "workflow/command.h"
#include "workflow/roster.h"

#define ENTRY_BYTES_MOST 32768
#define ENTRY_COMMANDS_MOST DEEPSTREAM_SIGHTINGS_MOST

enum entry_kind {
	ENTRY_OWN,        /* field "entry": a StreamEntry */
	ENTRY_DEEPSTREAM, /* field "metadata", or "key", "value" and "headers" */
	ENTRY_STRANGE     /* none of these fields */
};

struct entry {
	enum entry_kind kind;
	_Bool cameras;      /* it came by the camera stream: DeepStream's messages are welcome */
	const char *stream; /* name of the stream */
	const char *id;     /* and the entry's id in it */
	int64_t id_ms;      /* its time part */
	const uint8_t *bytes;
	size_t length;
};

struct entry_judge;

/* cameras_gateway: the identity that DeepStream's messages speak for, or NULL for none. The policy stays until another is
 * given; the roster outlives the judge and may change. */
struct entry_judge *entry_judge_new(const struct policy *policy, const struct roster *roster,
                                    const char *cameras_gateway, _Bool replay_clock) MUST_USE;
void entry_judge_policy(struct entry_judge *j, const struct policy *policy);
void entry_judge_free(struct entry_judge *j); /* NULL is fine */

/* Which of these field names carries what; ENTRY_STRANGE for any other. */
enum entry_kind entry_kind_of_field(const char *name, size_t length);

/* true: *count sealed commands, perhaps none, now the caller's. false: *why, and no commands. */
_Bool entry_judge_read(struct entry_judge *j, const struct entry *e, int64_t now_ms,
                       struct command *out[ENTRY_COMMANDS_MOST], size_t *count, struct refusal *why) MUST_USE;

#endif
