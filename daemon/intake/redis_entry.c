#include "intake/redis_entry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "gridloop.pb-c.h"
#include "intake/arena.h"
#include "intake/check.h"
#include "intake/convert.h"
#include "intake/proof.h"
#include "workflow/domain.h"

#define ARENA_SIZE (512 * 1024)
#define NAME_SIZE 256

struct entry_judge {
	const struct policy *policy;
	const struct roster *roster;
	char *cameras_gateway;
	_Bool replay_clock;
	struct digester *digester;
	struct command_pool *pool;
	struct arena arena;

	/* The last pair that matched: a platform sends thousands of entries with one token. */
	const struct person *known;
	struct proof proof;
	uint8_t known_token[PROOF_TOKEN_MOST];
	size_t known_length;
};

static const struct text_rule gateway_rule = TEXT_RULE(TEXT_ID, COMMAND_ID_MOST, gateway);

struct entry_judge *entry_judge_new(const struct policy *policy, const struct roster *roster,
                                    const char *cameras_gateway, _Bool replay_clock)
{
	struct entry_judge *j = must_calloc(1, sizeof(*j));

	j->policy = policy;
	j->roster = roster;
	j->cameras_gateway = must_strdup(cameras_gateway);
	j->replay_clock = replay_clock;
	j->digester = digester_new();
	j->pool = command_pool_new();
	arena_init(&j->arena, ARENA_SIZE);
	return j;
}

void entry_judge_policy(struct entry_judge *j, const struct policy *policy)
{
	j->policy = policy;
	j->known = NULL;
}

void entry_judge_free(struct entry_judge *j)
{
	if (j == NULL)
		return;
	explicit_bzero(j->known_token, sizeof(j->known_token));
	arena_close(&j->arena);
	digester_free(j->digester);
	command_pool_free(j->pool);
	free(j->cameras_gateway);
	free(j);
}

enum entry_kind entry_kind_of_field(const char *name, size_t length)
{
	static const struct {
		const char *name;
		enum entry_kind kind;
	} fields[] = { { "entry", ENTRY_OWN }, { "metadata", ENTRY_DEEPSTREAM }, { "value", ENTRY_DEEPSTREAM } };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strlen(fields[i].name) == length && memcmp(fields[i].name, name, length) == 0)
			return fields[i].kind;
	return ENTRY_STRANGE;
}

/* ---- who speaks -------------------------------------------------------------------------------------------------- */

static _Bool same_bytes(const uint8_t *a, const uint8_t *b, size_t length)
{
	uint8_t differ = 0;

	for (size_t i = 0; i < length; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}

static _Bool is_known(struct entry_judge *j, const struct person *p, const ProtobufCBinaryData *token, int64_t now_ms)
{
	return j->known == p && j->known_length == token->len && same_bytes(j->known_token, token->data, token->len) &&
	       proof_holds(&j->proof, p, j->roster, now_ms);
}

static _Bool token_matches(struct entry_judge *j, const struct person *p, const ProtobufCBinaryData *token,
                           int64_t now_ms)
{
	struct shown shown;

	if (is_known(j, p, token, now_ms))
		return 1;
	j->known = NULL;
	if (!shown_token(j->digester, token->data, token->len, &shown) ||
	    !proof_of(j->policy, j->roster, now_ms, p->id, &shown, &j->proof))
		return 0;
	j->known = p;
	j->known_length = token->len;
	memcpy(j->known_token, token->data, token->len);
	return 1;
}

static const struct person *authenticate(struct entry_judge *j, const Gridloop__V1__StreamEntry *m, int64_t now_ms,
                                         struct refusal *why)
{
	char gateway[COMMAND_ID_MOST + 1];
	const struct person *p;

	if (!check_copy(&m->gateway, &gateway_rule, gateway, sizeof(gateway), why))
		return NULL;
	p = policy_person(j->policy, gateway);
	if (p == NULL || (p->roles & (ROLE_GATEWAY | ROLE_CAMERAS)) == 0)
		(void)refuse(why, REFUSAL_BAD_CREDENTIALS, "gateway-is-known",
		             "\"%s\" is no gateway of this jurisdiction.", gateway);
	else if (!token_matches(j, p, &m->token, now_ms))
		(void)refuse(why, REFUSAL_BAD_CREDENTIALS, "token-matches", "The token is not the one of gateway %s.",
		             gateway);
	else
		return p;
	return NULL;
}

static struct sender sender_of(const struct entry_judge *j, const struct entry *e, const struct person *p,
                               int64_t now_ms)
{
	return (struct sender){ .person = p,
		                .channel = e->cameras ? "camera" : "redis",
		                .now_ms = now_ms,
		                .replay_clock = j->replay_clock,
		                .digester = j->digester,
		                .pool = j->pool };
}

/* ---- own messages ------------------------------------------------------------------------------------------------ */

/* An action without a key would be judged anew when Redis delivers its entry again, and its own success would refuse
 * it. The entry's identity is its key then. */
static void give_key(struct entry_judge *j, const struct entry *e, Gridloop__V1__Action *m, struct uuid *key)
{
	uint8_t digest[DIGEST_SIZE];
	char hex[DIGEST_TEXT_SIZE], name[NAME_SIZE];
	_Bool dated = e->id_ms >= CHECK_EARLIEST_MS && e->id_ms <= CHECK_LATEST_MS;

	if (m->key.len > 0)
		return;
	digest_begin(j->digester);
	digest_add(j->digester, e->bytes, e->length);
	digest_end(j->digester, digest);
	digest_text(digest, hex);
	(void)snprintf(name, sizeof(name), "entry\n%.100s\n%s\n%s", e->stream, e->id, hex);
	*key = uuid_from_name(dated ? e->id_ms : CHECK_EARLIEST_MS, name);
	m->key = (ProtobufCBinaryData){ .len = UUID_SIZE, .data = key->bytes };
}

static struct command *convert_own(struct entry_judge *j, const struct entry *e, Gridloop__V1__StreamEntry *m,
                                   const struct sender *from, struct refusal *why)
{
	struct uuid key;

	switch (m->body_case) {
	case GRIDLOOP__V1__STREAM_ENTRY__BODY_REPORT:
		return convert_report(m->report, from, why);
	case GRIDLOOP__V1__STREAM_ENTRY__BODY_ALARM:
		return convert_alarm(m->alarm, from, why);
	case GRIDLOOP__V1__STREAM_ENTRY__BODY_ACTION:
		give_key(j, e, m->action, &key);
		return convert_action(m->action, from, why);
	default:
		(void)refuse(why, REFUSAL_UNKNOWN_MESSAGE, "entry-has-a-body",
		             "The entry holds no report, action or alarm.");
		return NULL;
	}
}

static _Bool read_own(struct entry_judge *j, const struct entry *e, int64_t now_ms, struct command **out, size_t *count,
                      struct refusal *why)
{
	Gridloop__V1__StreamEntry *m;
	const struct person *p;
	struct sender from;

	arena_reset(&j->arena);
	m = gridloop__v1__stream_entry__unpack(&j->arena.allocator, e->length, e->bytes);
	if (m == NULL && j->arena.ran_out)
		return refuse(why, REFUSAL_TOO_LARGE, "message-has-few-parts",
		              "The entry holds more parts than one may.");
	if (m == NULL)
		return refuse(why, REFUSAL_MALFORMED, "entry-is-a-message", "These bytes are not a StreamEntry.");
	p = authenticate(j, m, now_ms, why);
	if (p == NULL)
		return 0;
	from = sender_of(j, e, p, now_ms);
	from.credential = j->proof.credential;
	from.replay_at_ms = m->replay_at_ms;
	if (m->replay_at_ms > now_ms)
		from.now_ms = m->replay_at_ms; /* the clock will be there when the command is decided */
	out[0] = convert_own(j, e, m, &from, why);
	*count = out[0] != NULL;
	return out[0] != NULL;
}

/* ---- DeepStream -------------------------------------------------------------------------------------------------- */

static ProtobufCBinaryData bytes_of(const char *text)
{
	/* convert reads only; protobuf-c's struct has no const. */
	return (ProtobufCBinaryData){ .len = strlen(text), .data = (uint8_t *)(uintptr_t)text };
}

static struct command *convert_sighting(struct sighting *s, const struct sender *from, struct refusal *why)
{
	Gridloop__V1__Alarm m = GRIDLOOP__V1__ALARM__INIT;

	m.key = (ProtobufCBinaryData){ .len = UUID_SIZE, .data = s->key.bytes };
	m.camera = bytes_of(s->camera);
	m.label = bytes_of(s->label);
	m.event = bytes_of(s->event);
	m.confidence = s->confidence;
	m.seen_at_ms = s->seen_at_ms;
	return convert_alarm(&m, from, why);
}

static _Bool read_deepstream(struct entry_judge *j, const struct entry *e, int64_t now_ms, struct command **out,
                             size_t *count, struct refusal *why)
{
	const struct person *p = j->cameras_gateway != NULL ? policy_person(j->policy, j->cameras_gateway) : NULL;
	struct sighting seen[DEEPSTREAM_SIGHTINGS_MOST];
	struct sender from = sender_of(j, e, p, now_ms);
	size_t seen_count;

	if (!e->cameras || p == NULL || (p->roles & ROLE_CAMERAS) == 0)
		return refuse(why, REFUSAL_NOT_ALLOWED, "deepstream-is-configured",
		              "DeepStream messages are taken on the camera stream only, for a camera gateway named in "
		              "the configuration.");
	if (!deepstream_read(j->policy, &j->arena, e->bytes, e->length, seen, &seen_count, why))
		return 0;
	for (size_t i = 0; i < seen_count; i++) {
		out[*count] = convert_sighting(&seen[i], &from, why);
		if (out[*count] == NULL)
			return 0;
		++*count;
	}
	return 1;
}

static _Bool read_strange(struct entry_judge *j, const struct entry *e, int64_t now_ms, struct command **out,
                          size_t *count, struct refusal *why)
{
	(void)j;
	(void)e;
	(void)now_ms;
	(void)out;
	(void)count;
	return refuse(why, REFUSAL_MALFORMED, "entry-has-a-field",
	              "The entry has no field named entry, metadata or value.");
}

_Bool entry_judge_read(struct entry_judge *j, const struct entry *e, int64_t now_ms,
                       struct command *out[ENTRY_COMMANDS_MOST], size_t *count, struct refusal *why)
{
	static _Bool (*const read[])(struct entry_judge *, const struct entry *, int64_t, struct command **, size_t *,
	                             struct refusal *) = {
		[ENTRY_OWN] = read_own,
		[ENTRY_DEEPSTREAM] = read_deepstream,
		[ENTRY_STRANGE] = read_strange,
	};

	*count = 0;
	if (e->length > ENTRY_BYTES_MOST)
		return refuse(why, REFUSAL_TOO_LARGE, "entry-is-short-enough",
		              "The entry has %zu bytes; %d is the most.", e->length, ENTRY_BYTES_MOST);
	if (read[e->kind](j, e, now_ms, out, count, why))
		return 1;
	while (*count > 0)
		command_free(out[--*count]);
	return 0;
}
