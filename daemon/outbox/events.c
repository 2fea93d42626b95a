#include "outbox/events.h"

#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mask.h"
#include "store/query.h"
#include "workflow/case_number.h"
#include "workflow/domain.h"

#define PAUSE_MS 1000
#define NUMBER_SIZE 24

enum events_state {
	EVENTS_OFF,      /* no connection */
	EVENTS_ASKING,   /* XINFO STREAM is under way */
	EVENTS_READY,    /* everything known is published */
	EVENTS_QUERYING, /* a reader is at work */
	EVENTS_SENDING,  /* a window is under way */
	EVENTS_PAUSED    /* something refused; XINFO again after a while */
};

/* A reader's errand: the next window of rows. It may outlive the publisher. */
struct errand {
	struct query query; /* first: the engine hands back its address */
	struct events *events;
	int64_t after;
	_Bool fresh; /* the cursor comes from the stream and is to be compared with the database */
	enum query_status status;
	int64_t last_event, scanned_to;
	struct result mem;
	struct news_row *rows;
	size_t count;
};

struct events {
	struct engine *engine;
	struct redis_link *link;
	char *stream;
	enum events_state state;
	struct errand *errand;
	struct event *timer;
	int64_t cursor;    /* last id the stream has; -1: its key is gone */
	int64_t window_to; /* cursor once the window is in */
	size_t window;     /* rows under way */
	_Bool fresh, make_key, more, stopped, said_ahead, said_refused;
};

static void pump(struct events *e);
static void ask(struct events *e);

static void pause_for(struct events *e, const char *why)
{
	struct timeval wait = { .tv_sec = PAUSE_MS / 1000, .tv_usec = 0 };

	if (!e->said_refused)
		log_line(LOG_LEVEL_ERROR, "events_not_published", "stream=%s cause=\"%.*s\"", e->stream,
		         redis_error_shown(why), why);
	e->said_refused = 1;
	e->state = EVENTS_PAUSED;
	event_add(e->timer, &wait);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct events *e = ctx;

	(void)fd;
	(void)what;
	if (e->state == EVENTS_PAUSED)
		ask(e);
}

/* ---- sending a window -------------------------------------------------------------------------------------------- */

enum fate { FATE_THERE, FATE_KEY_GONE, FATE_REFUSED };

static enum fate fate_of(const redisReply *r)
{
	if (r->type == REDIS_REPLY_STRING)
		return FATE_THERE;
	if (r->type == REDIS_REPLY_NIL)
		return FATE_KEY_GONE;
	if (r->type == REDIS_REPLY_ERROR && strstr(r->str, "equal or smaller") != NULL)
		return FATE_THERE;
	return FATE_REFUSED;
}

static void window_done(struct events *e, const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != e->window) {
		pause_for(e, reply->type == REDIS_REPLY_ERROR ? reply->str : "odd answer to EXEC");
		return;
	}
	for (size_t i = 0; i < reply->elements; i++) {
		enum fate fate = fate_of(reply->element[i]);

		if (fate == FATE_KEY_GONE) {
			log_line(LOG_LEVEL_WARNING, "events_key_gone", "stream=%s", e->stream);
			ask(e);
			return;
		}
		if (fate == FATE_REFUSED) {
			const redisReply *r = reply->element[i];

			pause_for(e, r->type == REDIS_REPLY_ERROR ? r->str : "odd answer to XADD");
			return;
		}
	}
	e->cursor = e->window_to;
	e->make_key = 0;
	e->said_refused = 0;
	e->state = EVENTS_READY;
	pump(e);
}

static void on_exec(void *ctx, const redisReply *reply)
{
	struct events *e = ctx;

	if (reply != NULL && e->state == EVENTS_SENDING)
		window_done(e, reply);
}

/* Answers that need no look: what they would say, EXEC says again. */
static void on_queued(void *ctx, const redisReply *reply)
{
	(void)ctx;
	(void)reply;
}

static void add_pair(struct redis_words *w, const char *name, const char *value)
{
	redis_words_add(w, name);
	redis_words_add(w, value != NULL ? value : "");
}

static _Bool send_row(struct events *e, const struct news_row *row, _Bool make_key)
{
	const struct fact *f = &row->fact;
	char kept[NUMBER_SIZE], id[NUMBER_SIZE + 2], at[NUMBER_SIZE], number[CASE_NUMBER_SIZE],
		category[CATEGORY_TEXT_SIZE], pseudonym[MASK_PSEUDONYM_SIZE];
	struct redis_words w = { 0 };

	(void)snprintf(kept, sizeof(kept), "%d", EVENTS_KEPT);
	(void)snprintf(id, sizeof(id), "%" PRId64 "-0", f->id);
	(void)snprintf(at, sizeof(at), "%" PRId64, f->at_ms);
	case_number_text(f->case_id, f->category, number);
	category_text(f->category, category);
	redis_words_add(&w, "XADD");
	redis_words_add(&w, e->stream);
	if (!make_key)
		redis_words_add(&w, "NOMKSTREAM");
	add_pair(&w, "MAXLEN", "~");
	add_pair(&w, kept, id);
	add_pair(&w, "case", number);
	add_pair(&w, "act", act_info(f->act)->name);
	add_pair(&w, "from", f->from != STATE_NONE ? state_info(f->from)->name : "");
	add_pair(&w, "to", state_info(f->to)->name);
	add_pair(&w, "at", at);
	add_pair(&w, "reporter", row->people.reporter ? mask_pseudonym(f->case_id, pseudonym) : NULL);
	add_pair(&w, "category", category);
	add_pair(&w, "ref", f->ref);
	return redis_link_send(e->link, &w, REDIS_COMMAND_DEADLINE_MS, on_queued, e);
}

static _Bool send_word(struct events *e, const char *word, redis_answer *answer)
{
	struct redis_words w = { 0 };

	redis_words_add(&w, word);
	return redis_link_send(e->link, &w, REDIS_COMMAND_DEADLINE_MS, answer, e);
}

static void send_window(struct events *e, const struct errand *errand)
{
	_Bool sent = send_word(e, "MULTI", on_queued);

	e->state = EVENTS_SENDING;
	e->window = errand->count;
	e->window_to = errand->scanned_to;
	for (size_t i = 0; sent && i < errand->count; i++)
		sent = send_row(e, &errand->rows[i], e->make_key && i == 0);
	/* When it cannot be sent the connection is on its way down, and coming up asks again. */
	if (!sent || !send_word(e, "EXEC", on_exec))
		e->state = EVENTS_OFF;
}

/* ---- fetching a window ------------------------------------------------------------------------------------------- */

/* On a reader's thread: touches nothing but the errand. */
static void run_errand(struct query *q, struct reader *r, int64_t now_ms)
{
	struct errand *errand = (struct errand *)q;
	int64_t last_notice;

	(void)now_ms;
	if (errand->fresh) {
		errand->status = query_last_ids(r, &errand->last_event, &last_notice);
		if (errand->status != QUERY_OK)
			return;
	}
	if (errand->after < 0)
		errand->after = errand->last_event > EVENTS_KEPT ? errand->last_event - EVENTS_KEPT : 0;
	errand->scanned_to = errand->after;
	errand->status = query_events(r, &(struct event_filter){ .after = errand->after, .limit = EVENTS_WINDOW },
	                              &errand->mem, &errand->rows, &errand->count, &errand->scanned_to);
}

/* The stream holds events this database never had: it was put back from a copy, or the stream is somebody else's. */
static void check_ahead(struct events *e, const struct errand *errand)
{
	if (errand->fresh && errand->after > errand->last_event && !e->said_ahead) {
		log_line(LOG_LEVEL_ERROR, "events_stream_ahead",
		         "stream=%s stream_last=%" PRId64 " database_last=%" PRId64, e->stream, errand->after,
		         errand->last_event);
		e->said_ahead = 1;
	}
}

static void errand_back(struct events *e, const struct errand *errand)
{
	if (e->state != EVENTS_QUERYING)
		return;
	e->state = EVENTS_READY;
	if (errand->status != QUERY_OK) {
		pause_for(e, "the database did not answer");
		return;
	}
	check_ahead(e, errand);
	e->fresh = 0;
	if (errand->count > 0) {
		e->more = 1; /* there may be rows behind the window */
		send_window(e, errand);
		return;
	}
	if (errand->scanned_to > errand->after)
		e->more = 1;
	e->cursor = errand->scanned_to;
	pump(e);
}

static void done_errand(struct query *q)
{
	struct errand *errand = (struct errand *)q;
	struct events *e = errand->events;

	if (e != NULL) {
		e->errand = NULL;
		errand_back(e, errand);
		/* The connection went and came back meanwhile. */
		if (e->state == EVENTS_READY && e->more)
			pump(e);
	}
	result_close(&errand->mem);
	free(errand);
}

static void pump(struct events *e)
{
	struct errand *errand;

	if (e->state != EVENTS_READY || !e->more || e->stopped || e->errand != NULL)
		return;
	errand = must_calloc(1, sizeof(*errand));
	*errand = (struct errand){
		.query = { .run = run_errand, .done = done_errand }, .events = e, .after = e->cursor, .fresh = e->fresh
	};
	e->more = 0;
	e->state = EVENTS_QUERYING;
	e->errand = errand;
	if (!engine_query(e->engine, &errand->query)) {
		e->errand = NULL;
		free(errand);
		pause_for(e, "too many queries wait");
	}
}

static void on_news(void *ctx, const struct news *news)
{
	struct events *e = ctx;

	if (news->last_event <= e->cursor)
		return;
	e->more = 1;
	pump(e);
}

/* ---- where the stream stands ------------------------------------------------------------------------------------- */

static int64_t last_generated(const redisReply *reply)
{
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		const redisReply *name = reply->element[i], *value = reply->element[i + 1];

		if (name->type != REDIS_REPLY_STRING || strcmp(name->str, "last-generated-id") != 0)
			continue;
		return value->type == REDIS_REPLY_STRING ? strtoll(value->str, NULL, 10) : -1;
	}
	return -1;
}

static void on_info(void *ctx, const redisReply *reply)
{
	struct events *e = ctx;
	_Bool gone = reply != NULL && reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "no such key") != NULL;

	if (reply == NULL || e->state != EVENTS_ASKING)
		return;
	if (!gone && reply->type != REDIS_REPLY_ARRAY) {
		pause_for(e, reply->type == REDIS_REPLY_ERROR ? reply->str : "odd answer to XINFO");
		return;
	}
	e->cursor = gone ? -1 : last_generated(reply);
	/* An empty stream that never had an entry is as good as none. */
	if (e->cursor == 0)
		e->cursor = -1;
	e->make_key = gone;
	e->fresh = 1;
	e->more = 1;
	e->state = EVENTS_READY;
	pump(e);
}

static void ask(struct events *e)
{
	struct redis_words w = { 0 };

	redis_words_add(&w, "XINFO");
	redis_words_add(&w, "STREAM");
	redis_words_add(&w, e->stream);
	e->state = EVENTS_ASKING;
	if (!redis_link_send(e->link, &w, REDIS_COMMAND_DEADLINE_MS, on_info, e))
		e->state = EVENTS_OFF;
}

struct events *events_new(struct event_base *base, struct engine *engine, struct redis_link *link, const char *stream)
{
	struct events *e = must_calloc(1, sizeof(*e));

	e->engine = engine;
	e->link = link;
	e->stream = must_strdup(stream);
	e->timer = evtimer_new(base, on_timer, e);
	must(e->timer != NULL);
	engine_on_news(engine, on_news, e);
	return e;
}

void events_free(struct events *e)
{
	if (e == NULL)
		return;
	if (e->errand != NULL)
		e->errand->events = NULL;
	event_free(e->timer);
	free(e->stream);
	free(e);
}

void events_stop(struct events *e)
{
	e->stopped = 1;
}

void events_up(struct events *e)
{
	ask(e);
}

void events_down(struct events *e)
{
	e->state = EVENTS_OFF;
	event_del(e->timer);
}
