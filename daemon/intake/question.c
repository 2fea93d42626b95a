#include "intake/question.h"

#include <stdlib.h>

#include "intake/wire.h"
#include "net/frame.h"

#define SCRATCH_BYTES (384 * 1024) /* the largest page of rows as messages, with room to spare */
#define RETRY_MS 200
#define FRAME_AROUND 64 /* bytes of seq, tags and lengths around a reply's rows */
#define ROW_AROUND 6    /* tag and length of one row */

static void question_free(struct question *q)
{
	result_close(&q->rows);
	arena_close(&q->scratch);
	policy_release(q->policy);
	free(q->reply);
	free(q);
}

static void run(struct query *query, struct reader *r, int64_t now_ms)
{
	struct question *q = (struct question *)query;

	q->now_ms = now_ms;
	arena_init(&q->scratch, SCRATCH_BYTES);
	q->ask(q, r);
	result_close(&q->rows);
	arena_close(&q->scratch);
}

static void done(struct query *query)
{
	struct question *q = (struct question *)query;
	struct session *s = q->session;

	if (q->told)
		q->told(q);
	else
		(void)session_send_bytes(s, q->reply, q->reply_length);
	question_free(q);
	session_returned(s);
}

void *question_new(struct session *s, uint32_t seq, size_t size, void (*ask)(struct question *q, struct reader *r))
{
	struct question *q = must_calloc(1, size);

	*q = (struct question){
		.query = { .run = run, .done = done },
		.session = s,
		.policy = policy_hold(engine_policy(s->door->engine)),
		.person = s->person,
		.seq = seq,
		.frame_most = (size_t)s->door->options.frame_most,
		.ask = ask,
	};
	return q;
}

static void add_bytes(struct question *q, size_t room)
{
	q->reply = must_realloc(q->reply, q->reply_length + room);
}

static _Bool no_room(struct refusal *why)
{
	(void)refuse(why, REFUSAL_RETRY_LATER, "queries-have-room", "Too many questions wait; ask again in a moment.");
	why->retry_after_ms = RETRY_MS;
	return 0;
}

_Bool question_send(struct question *q, struct refusal *why)
{
	struct session *s = q->session;

	if (!engine_query(s->door->engine, &q->query)) {
		question_free(q);
		return no_room(why);
	}
	session_sent_off(s);
	return 1;
}

static void reply_refusal(struct question *q, const struct refusal *why)
{
	add_bytes(q, WIRE_REPLY_MOST);
	q->reply_length += wire_refusal(q->reply + q->reply_length, q->seq, why);
	q->failed = 1;
}

void question_resume(struct question *q, const struct refusal *no)
{
	struct refusal why;

	session_sent_off(q->session);
	if (!no && engine_query(q->session->door->engine, &q->query))
		return;
	(void)no_room(&why);
	reply_refusal(q, no ? no : &why);
	done(&q->query);
}

void *question_take(struct question *q, size_t size)
{
	void *taken = arena_take(&q->scratch, size);

	must(taken);
	return taken;
}

size_t question_budget(const struct question *q)
{
	return q->frame_most - FRAME_AROUND;
}

size_t question_fit(const ProtobufCMessage *const *rows, size_t count, size_t *budget)
{
	for (size_t i = 0; i < count; i++) {
		size_t size = protobuf_c_message_get_packed_size(rows[i]) + ROW_AROUND;

		if (size > *budget)
			return i;
		*budget -= size;
	}
	return count;
}

void question_reply(struct question *q, Gridloop__V1__ServerFrame *f)
{
	size_t size = wire_size(f);

	if (size > q->frame_most + FRAME_HEAD_MOST) {
		question_refuse(q, REFUSAL_TOO_LARGE, "reply-fits-a-frame",
		                "The reply would not fit a frame; ask for less.");
		return;
	}
	add_bytes(q, size);
	q->reply_length += wire_pack(f, q->reply + q->reply_length);
}

void question_refuse(struct question *q, enum refusal_code code, const char *rule, const char *sentence)
{
	struct refusal why;

	(void)refuse(&why, code, rule, "%s", sentence);
	if (code == REFUSAL_RETRY_LATER)
		why.retry_after_ms = RETRY_MS;
	reply_refusal(q, &why);
}

void question_deny(struct question *q, enum right right, const struct rights_on *on, const char *rule)
{
	struct refusal why;

	(void)rights_refuse(q->policy, q->person, right, on, rule, &why);
	reply_refusal(q, &why);
}

_Bool question_went_well(struct question *q, enum query_status status)
{
	static const struct {
		enum refusal_code code;
		const char *rule, *sentence;
	} words[] = {
		[QUERY_NOT_FOUND] = { REFUSAL_UNKNOWN_CASE, "case-is-known", "There is no case with this number." },
		[QUERY_TIMEOUT] = { REFUSAL_RETRY_LATER, "query-is-quick-enough",
		                    "The question took too long; ask for less." },
		[QUERY_FAILED] = { REFUSAL_INTERNAL, "database-answers", "The database could not be read." },
	};

	if (status == QUERY_OK)
		return 1;
	question_refuse(q, words[status].code, words[status].rule, words[status].sentence);
	return 0;
}
