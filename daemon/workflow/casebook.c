/* casebook: the tables of what is alive. */
#include "workflow/casebook.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "workflow/accounts.h"
#include "workflow/alarm_spans.h"
#include "workflow/case_number.h"
#include "workflow/case_table.h"
#include "workflow/decide.h"
#include "workflow/key_memory.h"
#include "workflow/names.h"
#include "workflow/place.h"
#include "workflow/place_index.h"
#include "workflow/reporters.h"
#include "workflow/timer_heap.h"

#define uthash_fatal(message) must_not_happen(__FILE__, __LINE__, message)
#define HASH_FUNCTION(keyptr, keylen, hashv) casebook_hash(keyptr, keylen, &(hashv))
static inline void casebook_hash(const void *key, size_t length, unsigned *out);
#include <uthash.h>

/* Every key here is one 64-bit id, so one multiplication does for a hash. */
static inline void casebook_hash(const void *key, size_t length, unsigned *out)
{
	uint64_t id;
	must(length == sizeof id);
	memcpy(&id, key, sizeof id);
	id *= UINT64_C(0x9E3779B97F4A7C15);
	*out = (unsigned)(id >> 32);
}

struct open_case {
	struct case_node node; /* first: the table gives it back */
	struct timer_node timer;
	struct place_node place;
	struct case_file file;
};

struct followers {
	UT_hash_handle hh;
	int64_t master;
	struct follower *rows;
	size_t count, room;
};

struct casebook {
	struct case_table *cases;
	struct place_index *places;
	struct timer_heap timers;
	struct key_memory *keys;
	struct accounts *accounts;
	struct followers *followers;
	struct alarm_spans *spans;
	struct reporters *reporters;
	struct looks *looks;
	struct emergencies emergencies;
	struct roster *roster;
	struct names *names;
	struct counters counters;
	int shard;
	struct open_case *walk, *walk_last; /* next and last of the walk under way; NULL: none */
};

struct casebook *casebook_new(int shard)
{
	struct casebook *b = must_calloc(1, sizeof *b);
	b->shard = shard;
	b->cases = case_table_new(sizeof(struct open_case));
	b->names = names_new();
	b->places = place_index_new();
	b->keys = key_memory_new(CASEBOOK_KEYS_PER_GENERATION);
	b->accounts = accounts_new();
	b->spans = alarm_spans_new();
	b->reporters = reporters_new();
	b->looks = looks_new();
	b->roster = roster_new();
	b->counters.event = b->counters.ledger = b->counters.notice = b->counters.span = b->counters.credential = 1;
	b->counters.sequence = 1;
	return b;
}

static void followers_free(struct casebook *b, struct followers *f)
{
	HASH_DEL(b->followers, f);
	free(f->rows);
	free(f);
}

void casebook_free(struct casebook *b)
{
	if (b == NULL)
		return;
	struct followers *f, *next_followers;
	HASH_ITER(hh, b->followers, f, next_followers)
	{
		followers_free(b, f);
	}
	place_index_free(b->places);
	case_table_free(b->cases);
	timer_heap_close(&b->timers);
	key_memory_free(b->keys);
	accounts_free(b->accounts);
	alarm_spans_free(b->spans);
	reporters_free(b->reporters);
	looks_free(b->looks);
	roster_free(b->roster);
	names_free(b->names);
	free(b);
}

/* ---- look-ups ---- */

static struct open_case *case_of(struct case_node *n)
{
	return (struct open_case *)(void *)n;
}

static struct open_case *find_case(const struct casebook *b, int64_t id)
{
	return case_of(case_table_find(b->cases, id));
}

const struct case_file *casebook_case(const struct casebook *b, int64_t id)
{
	const struct open_case *c = find_case(b, id);
	return c == NULL ? NULL : &c->file;
}

size_t casebook_open_count(const struct casebook *b)
{
	return case_table_count(b->cases);
}

/* A case whose place is not known is kept at a place of its own, made of its address and not on this earth, so that
 * one index serves both. */
#define NOWHERE_LAT 1000000000
#define NOWHERE_SPAN 1000000000u
#define NOWHERE_METRES 1.0

/* false: there is nothing to find it by. */
static _Bool index_point(const struct viewpoint *v, int32_t *lat_e7, int32_t *lon_e7)
{
	if (v->located) {
		*lat_e7 = v->lat_e7;
		*lon_e7 = v->lon_e7;
		return 1;
	}
	*lat_e7 = NOWHERE_LAT + (int32_t)(v->address.door % NOWHERE_SPAN);
	*lon_e7 = (int32_t)((uint32_t)v->address.street * NOWHERE_SPAN / 65536u);
	return v->address.door != 0;
}

struct around {
	void (*see)(void *ctx, const struct sight *s);
	void *ctx;
	_Bool located;
};

static void see_position(void *ctx, const struct position *at, double metres)
{
	const struct around *a = ctx;
	const struct open_case *c =
		(const struct open_case *)((const char *)at->node - offsetof(struct open_case, place));

	a->see(a->ctx, &(struct sight){ a->located ? metres : 0, at->at_ms, at->address, at->reporter,
	                                at->reporter_kind, &c->file });
}

void casebook_around(const struct casebook *b, int32_t category, const struct viewpoint *from, double metres,
                     int64_t since_ms, void (*see)(void *ctx, const struct sight *s), void *ctx)
{
	struct around a = { see, ctx, from->located };
	int32_t lat_e7, lon_e7;

	if (index_point(from, &lat_e7, &lon_e7))
		place_index_around(b->places, category, lat_e7, lon_e7, from->located ? metres : NOWHERE_METRES,
		                   since_ms, see_position, &a);
}

const struct alarm_span *casebook_span(const struct casebook *b, const char *camera, const char *channel,
                                       int32_t category, const char *event)
{
	return alarm_spans_find(b->spans, camera, channel, category, event);
}

const struct alarm_span *casebook_span_oldest(const struct casebook *b, size_t i)
{
	return alarm_spans_oldest(b->spans, i);
}

size_t casebook_span_count(const struct casebook *b)
{
	return alarm_spans_count(b->spans);
}

enum state casebook_span_end(const struct casebook *b, int64_t case_id)
{
	return alarm_spans_case_end(b->spans, case_id);
}

int32_t casebook_alarm_count(const struct casebook *b, int64_t case_id)
{
	return alarm_spans_case_count(b->spans, case_id);
}

const struct key_fact *casebook_key(const struct casebook *b, const struct uuid *key)
{
	return key_memory_find(b->keys, key);
}

_Bool casebook_keys_complete_for(const struct casebook *b, const struct uuid *key)
{
	return key_memory_complete_for(b->keys, key);
}

const struct account *casebook_account(const struct casebook *b, const char *person)
{
	return accounts_find(b->accounts, person);
}

int64_t casebook_payable(const struct casebook *b, const char *person, int64_t now_ms)
{
	return accounts_payable(b->accounts, person, now_ms);
}

int64_t casebook_rewarded_at(const struct casebook *b, int64_t place_key)
{
	return accounts_rewarded_at(b->accounts, place_key);
}

int casebook_rewarded_since(const struct casebook *b, int64_t place_key, int64_t since_ms)
{
	return accounts_rewarded_since(b->accounts, place_key, since_ms);
}

int64_t casebook_reported_today(const struct casebook *b, const char *person, int32_t day)
{
	return reporters_today(b->reporters, person, day);
}

int casebook_reported_since(const struct casebook *b, const char *person, int32_t day, int64_t since_ms)
{
	return reporters_since(b->reporters, person, day, since_ms);
}

const struct look_owner *casebook_same_look(const struct casebook *b, uint64_t look, int64_t case_id)
{
	return looks_find(b->looks, look, case_id);
}

static struct followers *find_followers(const struct casebook *b, int64_t master)
{
	struct followers *f;
	HASH_FIND(hh, b->followers, &master, sizeof master, f);
	return f;
}

const struct follower *casebook_followers(const struct casebook *b, int64_t master, size_t *count)
{
	const struct followers *f = find_followers(b, master);
	*count = f == NULL ? 0 : f->count;
	return f == NULL ? NULL : f->rows;
}

_Bool casebook_next_timer(const struct casebook *b, struct timer *out)
{
	const struct timer_node *n = timer_heap_first(&b->timers);
	*out = (struct timer){ .act = ACT_ALARM_AGAIN };
	_Bool untold = alarm_spans_next_timer(b->spans, &out->at_ms, &out->case_id);
	if (n != NULL && (!untold || n->at_ms <= out->at_ms))
		*out = case_next_timer(
			&((const struct open_case *)((const char *)n - offsetof(struct open_case, timer)))->file);
	return n != NULL || untold;
}

const struct roster *casebook_roster(const struct casebook *b)
{
	return b->roster;
}

const struct emergencies *casebook_emergencies(const struct casebook *b)
{
	return &b->emergencies;
}

const struct counters *casebook_counters(const struct casebook *b)
{
	return &b->counters;
}

int casebook_shard(const struct casebook *b)
{
	return b->shard;
}

const char *casebook_intern(const struct casebook *b, const char *text)
{
	return names_intern(b->names, text);
}

void casebook_each(const struct casebook *b, void (*visit)(void *ctx, const struct case_file *c), void *ctx)
{
	for (struct case_node *n = case_table_first(b->cases); n != NULL; n = n->after)
		visit(ctx, &case_of(n)->file);
}

/* ---- the walk: in the order of opening, so that what is opened meanwhile lies behind its end ---- */

void casebook_walk(struct casebook *b)
{
	b->walk = case_of(case_table_first(b->cases));
	b->walk_last = case_of(case_table_last(b->cases));
}

const struct case_file *casebook_walk_next(struct casebook *b)
{
	struct open_case *c = b->walk;
	if (c == NULL)
		return NULL;
	b->walk = c == b->walk_last ? NULL : case_of(c->node.after);
	return &c->file;
}

static void leave_walk(struct casebook *b, const struct open_case *c)
{
	if (b->walk == c)
		b->walk = c == b->walk_last ? NULL : case_of(c->node.after);
	if (b->walk_last == c)
		b->walk_last = b->walk == NULL ? NULL : case_of(c->node.before);
}

/* ---- change ---- */

static void index_place(struct casebook *b, struct open_case *c)
{
	const struct viewpoint v = { .located = case_is_located(&c->file),
		                     .lat_e7 = c->file.lat_e7,
		                     .lon_e7 = c->file.lon_e7,
		                     .address = c->file.address };

	c->place.category = c->file.category;
	c->place.at_ms = c->file.reported_ms;
	c->place.address = c->file.address;
	c->place.reporter = c->file.reporter;
	c->place.reporter_kind = c->file.reporter_kind;
	if (index_point(&v, &c->place.lat_e7, &c->place.lon_e7))
		place_index_add(b->places, &c->place);
}

/* fresh: it was opened just now, so it need not be looked for. */
static void put_case(struct casebook *b, const struct case_file *file, _Bool fresh)
{
	struct open_case *c = fresh ? NULL : find_case(b, file->id);
	if (c == NULL) {
		c = case_of(case_table_add(b->cases, file->id));
		c->file = *file;
		index_place(b, c);
	} else if (c->file.category != file->category || case_is_located(&c->file) != case_is_located(file) ||
	           c->file.lat_e7 != file->lat_e7 || c->file.lon_e7 != file->lon_e7) {
		place_index_remove(b->places, &c->place);
		c->file = *file;
		index_place(b, c);
	} else {
		c->file = *file;
	}
	timer_heap_set(&b->timers, &c->timer, case_next_timer(file).at_ms);
}

static void drop_case(struct casebook *b, const struct case_file *file)
{
	struct open_case *c = find_case(b, file->id);
	struct followers *f = find_followers(b, file->id);
	if (f != NULL)
		followers_free(b, f);
	if (c == NULL)
		return; /* born terminal, as an automatic merge is */
	place_index_remove(b->places, &c->place);
	leave_walk(b, c);
	timer_heap_set(&b->timers, &c->timer, 0);
	case_table_remove(b->cases, &c->node);
}

static void add_follower(struct casebook *b, int64_t master, const struct follower *one)
{
	struct followers *f = find_followers(b, master);
	if (f == NULL) {
		f = must_calloc(1, sizeof *f);
		f->master = master;
		HASH_ADD(hh, b->followers, master, sizeof f->master, f);
	}
	if (f->count == f->room) {
		f->room = f->room == 0 ? 4 : f->room * 2;
		f->rows = must_realloc(f->rows, f->room * sizeof *f->rows);
	}
	f->rows[f->count] = *one;
	f->rows[f->count++].reporter = names_intern(b->names, one->reporter);
}

/* A merged case brings itself and those that had been merged into it. */
static void follow(struct casebook *b, const struct case_file *merged)
{
	size_t count;
	const struct follower *rows = casebook_followers(b, merged->id, &count);
	for (size_t i = 0; i < count; i++)
		add_follower(b, merged->merged_into, &rows[i]);
	add_follower(b, merged->merged_into,
	             &(struct follower){ merged->id, merged->category, merged->reporter, merged->reporter_kind,
	                                 merged->doubts });
}

static void count_events(struct casebook *b, const struct facts *f)
{
	struct counters *n = &b->counters;
	n->event += (int64_t)f->event_count;
	n->ledger += (int64_t)f->ledger_count;
	n->notice += (int64_t)f->notice_count;
	for (size_t i = 0; i < f->event_count; i++)
		if (f->events[i].at_ms > n->last_ms)
			n->last_ms = f->events[i].at_ms;
	if (f->report == NULL || f->draft_count == 0)
		return;
	if (n->day_end_ms <= f->events[0].at_ms)
		clock_local_day(f->events[0].at_ms, NULL, &n->day_end_ms);
	n->day = case_id_day(f->drafts[0].id);
	n->sequence = case_id_sequence(f->drafts[0].id) + 1;
}

static void put_span(struct casebook *b, const struct alarm_span *s)
{
	alarm_spans_put(b->spans, s, s->case_id == 0 ? NULL : casebook_case(b, s->case_id));
	if (s->id >= b->counters.span)
		b->counters.span = s->id + 1;
}

/* What a report leaves behind beside its case. */
static void note_report(struct casebook *b, const struct facts *f)
{
	const struct case_file *c = &f->drafts[0];
	if (c->reporter != NULL)
		reporters_note(b->reporters, c->reporter, case_id_day(c->id), c->reported_ms);
	for (int i = 0; i < f->named.count; i++) {
		uint64_t look;
		memcpy(&look, f->named.refs[i].look, sizeof look);
		looks_add(b->looks, look, (struct look_owner){ c->id, c->category });
	}
}

static void put_credential(struct casebook *b, const struct credential *c)
{
	roster_obey(b->roster, c);
	if (c->id >= b->counters.credential)
		b->counters.credential = c->id + 1;
}

void casebook_apply(struct casebook *b, const struct facts *f)
{
	count_events(b, f);
	if (f->report != NULL && f->draft_count > 0)
		note_report(b, f);
	for (size_t i = 0; i < f->draft_count; i++) {
		const struct case_file *c = &f->drafts[i];
		if (c->state == STATE_MERGED)
			follow(b, c);
		if (state_info(c->state)->terminal)
			drop_case(b, c);
		else
			put_case(b, c, i == 0 && f->report != NULL);
		if (c->camera != NULL)
			alarm_spans_case_changed(b->spans, c);
	}
	for (size_t i = 0; i < f->forgotten_count; i++)
		alarm_spans_forget(b->spans, f->forgotten[i]);
	for (size_t i = 0; i < f->span_count; i++)
		put_span(b, &f->spans[i]);
	for (size_t i = 0; i < f->ledger_count; i++)
		accounts_apply(b->accounts, &f->ledger[i]);
	if (f->audit.what == AUDITED_ERASE)
		accounts_rename(b->accounts, f->audit.erased, f->audit.subject);
	if (f->has_emergency)
		casebook_restore_emergency(b, &f->emergency);
	for (size_t i = 0; i < f->credential_count; i++)
		put_credential(b, &f->credentials[i]);
	if (f->has_key)
		key_memory_add(b->keys, &f->key);
}

/* ---- recovery ---- */

void casebook_restore_case(struct casebook *b, const struct case_file *c)
{
	struct case_file file = *c;
	const char **const texts[] = { &file.reporter,    &file.actor,      &file.camera,
		                       &file.alarm_event, &file.handler,    &file.worker,
		                       &file.checker,     &file.handled_by, &file.basis };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = names_intern(b->names, *texts[i]);
	for (int i = 0; i < CASE_UNITS_MOST; i++) {
		file.helpers[i] = names_intern(b->names, file.helpers[i]);
		file.whistled[i] = names_intern(b->names, file.whistled[i]);
	}
	put_case(b, &file, 0);
}

void casebook_restore_key(struct casebook *b, const struct key_fact *k)
{
	key_memory_add(b->keys, k);
}

void casebook_restore_keys_from(struct casebook *b, int64_t complete_after_ms)
{
	key_memory_complete_after(b->keys, complete_after_ms);
}

void casebook_restore_ledger(struct casebook *b, const char *person, int64_t balance, int32_t month,
                             int64_t month_points)
{
	accounts_set(b->accounts, person, balance, month, month_points);
}

void casebook_restore_pending(struct casebook *b, const char *person, int64_t points, int64_t payable_ms)
{
	accounts_pending(b->accounts, person, points, payable_ms);
}

void casebook_restore_rewarded(struct casebook *b, int64_t place_key, int64_t at_ms)
{
	accounts_place(b->accounts, place_key, at_ms);
}

void casebook_restore_reported(struct casebook *b, const char *person, int32_t day, int64_t at_ms)
{
	reporters_note(b->reporters, names_intern(b->names, person), day, at_ms);
}

void casebook_restore_look(struct casebook *b, uint64_t look, struct look_owner owner)
{
	looks_add(b->looks, look, owner);
}

void casebook_restore_follower(struct casebook *b, int64_t master, const struct follower *f)
{
	add_follower(b, master, f);
}

void casebook_restore_span(struct casebook *b, const struct alarm_span *s, enum state end)
{
	put_span(b, s);
	if (s->case_id != 0 && end != STATE_NONE)
		alarm_spans_restore_end(b->spans, s->case_id, end);
}

void casebook_restore_emergency(struct casebook *b, const struct emergency *e)
{
	struct emergency kept = *e;
	kept.declared_by = names_intern(b->names, e->declared_by);
	kept.lifted_by = names_intern(b->names, e->lifted_by);
	emergencies_put(&b->emergencies, &kept);
}

void casebook_restore_credential(struct casebook *b, const struct credential *c)
{
	put_credential(b, c);
}

void casebook_restore_counters(struct casebook *b, const struct counters *c)
{
	b->counters = *c;
}
