/* world: time, decisions, and the record of them. */
#include "world.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workflow/policy_fit.h"
#include "workflow/sweep.h"

#define SAMPLE "config/jurisdiction"
#define FILE_MOST 262144

/* ---- the jurisdiction ---- */

static struct policy *load(struct world *w, const char *folder)
{
	struct problems p = { 0 };
	struct policy *policy = policy_load(folder, &p);

	problems_print(&p, stdout);
	problems_close(&p);
	if (policy == NULL)
		script_fail(w->script, "the jurisdiction in %s cannot be used", folder);
	return policy;
}

static char *slurp(const char *path)
{
	char *text = must_calloc(1, FILE_MOST);
	FILE *file = fopen(path, "r");

	must(file != NULL);
	must(fread(text, 1, FILE_MOST - 1, file) < FILE_MOST - 1);
	must(fclose(file) == 0);
	return text;
}

static void spill(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	must(file != NULL && fputs(text, file) >= 0);
	must(fclose(file) == 0);
}

static void path_in(char *out, size_t size, const char *folder, const char *file)
{
	must((size_t)snprintf(out, size, "%s/%s", folder, file) < size);
}

static void own_folder(struct world *w)
{
	const char *tmp = getenv("TMPDIR");
	glob_t found;

	snprintf(w->folder, sizeof w->folder, "%s/gridloop-scenario-XXXXXX", tmp ? tmp : "/tmp");
	must(mkdtemp(w->folder) != NULL);
	must(glob(SAMPLE "/*.*", 0, NULL, &found) == 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char path[512], *text = slurp(found.gl_pathv[i]);

		path_in(path, sizeof path, w->folder, strrchr(found.gl_pathv[i], '/') + 1);
		spill(path, text);
		free(text);
	}
	globfree(&found);
}

static void drop_folder(struct world *w)
{
	char pattern[512];
	glob_t found;

	if (w->folder[0] == '\0')
		return;
	path_in(pattern, sizeof pattern, w->folder, "*");
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			must(unlink(found.gl_pathv[i]) == 0);
		globfree(&found);
	}
	must(rmdir(w->folder) == 0);
	w->folder[0] = '\0';
}

static void work_around_the_clock(struct world *w);

static void change(struct world *w)
{
	w->changed = w->started;
	if (w->folder[0] != '\0')
		return;
	own_folder(w);
	if (w->started && !w->sample_hours)
		work_around_the_clock(w);
}

void world_rule(struct world *w, const char *key, const char *value)
{
	char path[512], start[80], *text, *at;

	change(w);
	path_in(path, sizeof path, w->folder, "policy.conf");
	snprintf(start, sizeof start, "\n%s =", key);
	text = slurp(path);
	at = strstr(text, start);
	if (at == NULL) {
		script_fail(w->script, "there is no rule \"%s\" in policy.conf", key);
	} else {
		FILE *file = fopen(path, "w");

		must(file != NULL);
		fprintf(file, "%.*s%s %s%s", (int)(at - text), text, start, value, at + 1 + strcspn(at + 1, "\n"));
		must(fclose(file) == 0);
	}
	free(text);
}

/* "610404004001009 108.69,34.33 108.70,34.33 …": a grid and the corners of its outline, as one more feature. */
static void append_feature(const char *path, const char *said)
{
	char *text = slurp(path);
	char *end = strrchr(text, ']');
	const char *first = said + strcspn(said, " "), *corner = first;
	FILE *to = fopen(path, "w");

	must(end != NULL && to != NULL);
	fprintf(to, "%.*s%s{\"type\":\"Feature\",\"properties\":{\"grid\":\"%.*s\"},\"geometry\":", (int)(end - text),
	        text, strstr(text, "Feature\"") ? "," : "", (int)(first - said), said);
	fputs("{\"type\":\"Polygon\",\"coordinates\":[[", to);
	for (size_t length; *corner != '\0'; corner += 1 + length) {
		length = strcspn(corner + 1, " ");
		fprintf(to, "[%.*s],", (int)length, corner + 1);
	}
	fprintf(to, "[%.*s]]]}}\n]}\n", (int)strcspn(first + 1, " "), first + 1);
	must(fclose(to) == 0);
	free(text);
}

void world_append(struct world *w, const char *file, const char *row)
{
	char path[512];

	change(w);
	path_in(path, sizeof path, w->folder, file);
	if (strstr(file, ".geojson") != NULL) {
		append_feature(path, row);
		return;
	}

	FILE *to = fopen(path, "a");

	must(to != NULL);
	fprintf(to, "%s\n", row);
	must(fclose(to) == 0);
}

/* The file anew, each row of it written by the function, or not. */
static void rewrite(struct world *w, const char *file, const char *text,
                    void (*write)(struct world *w, FILE *to, const char *row, const char *text))
{
	char path[512], *rows, *next;

	change(w);
	path_in(path, sizeof path, w->folder, file);
	rows = slurp(path);

	FILE *to = fopen(path, "w");

	must(to != NULL);
	for (char *row = rows; *row != '\0'; row = next) {
		size_t length = strcspn(row, "\n");
		_Bool last = row[length] == '\0';

		row[length] = '\0';
		next = row + length + !last;
		write(w, to, row, text);
	}
	must(fclose(to) == 0);
	free(rows);
}

static void write_without(struct world *w, FILE *to, const char *row, const char *text)
{
	if (strstr(row, text) == NULL)
		fprintf(to, "%s\n", row);
	else
		w->rows_gone++;
}

void world_without(struct world *w, const char *file, const char *text)
{
	size_t before = w->rows_gone;

	rewrite(w, file, text, write_without);
	if (w->rows_gone == before)
		script_fail(w->script, "no row of %s has \"%s\" in it", file, text);
}

/* The first row that is no comment has the names. */
static void write_wider(struct world *w, FILE *to, const char *row, const char *name)
{
	if (row[0] == '#') {
		fprintf(to, "%s\n", row);
		return;
	}
	fprintf(to, "%s,%s\n", row, w->names_seen ? "" : name);
	w->names_seen = 1;
}

void world_column(struct world *w, const char *file, const char *name)
{
	w->names_seen = 0;
	rewrite(w, file, name, write_wider);
}

/* ---- a life ---- */

void world_open(struct world *w, struct script *s, struct cover *c, const struct policy **usual)
{
	*w = (struct world){ .script = s, .cover = c, .usual = usual };
	w->book = casebook_new(0);
	w->digester = digester_new();
	facts_init(&w->facts);
}

void world_close(struct world *w)
{
	for (size_t i = 0; i < w->case_count; i++) {
		free((char *)w->cases[i].name);
		free(w->cases[i].events);
	}
	free(w->cases);
	free(w->notices);
	free(w->ledger);
	facts_close(&w->facts);
	digester_free(w->digester);
	casebook_free(w->book);
	policy_release(w->policy);
	drop_folder(w);
	*w = (struct world){ 0 };
}

void world_hours(struct world *w)
{
	if (w->started)
		script_fail(w->script, "the hours are chosen before the first step");
	w->sample_hours = 1;
}

/* Unless a scenario is about the calendar, every hour of every day is worked, so that its times can be read as they are. */
static void work_around_the_clock(struct world *w)
{
	char path[512];

	world_rule(w, "work_days", "mon-sun");
	world_rule(w, "work_morning", "00:00-24:00");
	world_rule(w, "work_afternoon", "");
	path_in(path, sizeof path, w->folder, "calendar.csv");
	must(unlink(path) == 0);
}

/* Most scenarios change nothing, and reading a jurisdiction takes longer than playing one. */
static const struct policy *usual(struct world *w)
{
	if (*w->usual != NULL)
		return *w->usual;
	work_around_the_clock(w);
	*w->usual = load(w, w->folder);
	return *w->usual;
}

static const struct policy *load_own(struct world *w)
{
	if (!w->sample_hours)
		work_around_the_clock(w);
	return load(w, w->folder[0] != '\0' ? w->folder : SAMPLE);
}

/* The jurisdiction is loaded at the first step, when nothing can change it any more. */
static _Bool ready(struct world *w)
{
	if (w->policy == NULL)
		w->policy = w->folder[0] == '\0' && !w->sample_hours ? policy_hold(usual(w)) : load_own(w);
	w->started = 1;
	if (w->changed)
		return script_fail(w->script, "the jurisdiction was changed: reload it first");
	if (w->policy != NULL && w->now_ms == 0)
		return script_fail(w->script, "say what time it is first: at 2026-11-21 09:00");
	return w->policy != NULL;
}

struct told *world_case(struct world *w, int64_t id)
{
	for (size_t i = w->case_count; i > 0; i--)
		if (w->cases[i - 1].last.id == id)
			return &w->cases[i - 1];
	return NULL;
}

struct told *world_named(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->case_count; i++)
		if (w->cases[i].name && strcmp(w->cases[i].name, name) == 0)
			return &w->cases[i];
	script_fail(w->script, "no case was named \"%s\"", name);
	return NULL;
}

/* ---- the record ---- */

static void *with_room(void *rows, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return rows;
	*room = *room == 0 ? 16 : *room * 2;
	return must_realloc(rows, *room * size);
}

static struct told *told_of(struct world *w, int64_t id)
{
	struct told *t = world_case(w, id);

	if (t != NULL)
		return t;
	w->cases = with_room(w->cases, w->case_count, &w->case_room, sizeof *w->cases);
	t = &w->cases[w->case_count++];
	*t = (struct told){ .last = { .id = id } };
	return t;
}

/* The facts' texts live no longer than the command, so the book keeps the record's. */
static void record_event(struct world *w, const struct fact *f)
{
	struct told *t = told_of(w, f->case_id);

	t->events = with_room(t->events, t->count, &t->room, sizeof *t->events);

	struct fact *copy = &t->events[t->count++];

	*copy = *f;
	copy->actor = casebook_intern(w->book, f->actor);
	copy->ref = casebook_intern(w->book, f->ref);
	copy->text = casebook_intern(w->book, f->text);
	cover_event(w->cover, f);
}

static void record(struct world *w)
{
	const struct facts *f = &w->facts;

	for (size_t i = 0; i < f->event_count; i++)
		record_event(w, &f->events[i]);
	for (size_t i = 0; i < f->draft_count; i++)
		told_of(w, f->drafts[i].id)->last = f->drafts[i];
	for (size_t i = 0; i < f->notice_count; i++) {
		w->notices = with_room(w->notices, w->notice_count, &w->notice_room, sizeof *w->notices);
		w->notices[w->notice_count] = f->notices[i];
		w->notices[w->notice_count++].to = casebook_intern(w->book, f->notices[i].to);
	}
	for (size_t i = 0; i < f->ledger_count; i++) {
		w->ledger = with_room(w->ledger, w->ledger_count, &w->ledger_room, sizeof *w->ledger);
		w->ledger[w->ledger_count] = f->ledger[i];
		w->ledger[w->ledger_count++].person = casebook_intern(w->book, f->ledger[i].person);
	}
	/* An erased person's rows go on under the name that the erasure gave. */
	for (size_t i = 0; f->audit.what == AUDITED_ERASE && i < w->ledger_count; i++)
		if (strcmp(w->ledger[i].person, f->audit.erased) == 0)
			w->ledger[i].person = casebook_intern(w->book, f->audit.subject);
}

/* The audit stands in for a link between events, so its row has to name the very event. */
static void look_at_audit(const struct facts *f)
{
	const struct fact *named = NULL;

	if (f->audit.what != AUDITED_ACT)
		return;
	for (size_t i = 0; i < f->event_count; i++)
		if (f->events[i].id == f->audit.count)
			named = &f->events[i];
	must(named != NULL && strcmp(act_info(named->act)->name, f->audit.purpose) == 0);
	must(strcmp(named->actor, f->audit.who) == 0);
}

static void sweep(struct world *w);

static void obey(struct world *w)
{
	int64_t touched[FACTS_CASES_MOST];
	size_t count = w->facts.draft_count;

	record(w);
	look_at_audit(&w->facts);
	casebook_apply(w->book, &w->facts);
	for (size_t i = 0; i < count; i++)
		touched[i] = w->facts.drafts[i].id;
	_Bool all = w->facts.sweep;

	for (size_t i = 0; i < count; i++)
		invariants_of_case(w, world_case(w, touched[i]));
	if (all)
		sweep(w);
}

/* ---- steps ---- */

void world_advance(struct world *w, int64_t to_ms)
{
	struct timer t;

	if (to_ms < w->now_ms) {
		script_fail(w->script, "time does not run backwards");
		return;
	}
	if (w->now_ms == 0)
		w->now_ms = to_ms;
	if (!ready(w))
		return;
	w->fired = 0;
	while (!w->script->failed && casebook_next_timer(w->book, &t) && t.at_ms <= to_ms) {
		if (t.at_ms > w->now_ms)
			w->now_ms = t.at_ms;
		cover_timer(w->cover, (enum state)casebook_case(w->book, t.case_id)->state, t.act);
		decide_timer(w->book, w->policy, &t, w->now_ms, &w->facts);
		obey(w);
		w->fired++;
	}
	w->now_ms = to_ms;
}

static enum act act_of(const struct command *c)
{
	static const enum act opening[] = { [COMMAND_SUBMIT] = ACT_SUBMIT, [COMMAND_ALARM] = ACT_ALARM };

	return c->kind <= COMMAND_ALARM ? opening[c->kind] : c->kind == COMMAND_ACT ? c->act : ACT_NONE;
}

void world_decide(struct world *w, struct command *c)
{
	if (!ready(w))
		return;

	const struct case_file *file = c->kind == COMMAND_ACT ? casebook_case(w->book, c->case_id) : NULL;
	enum state from = file ? (enum state)file->state : STATE_NONE;

	command_seal(c, w->digester);
	if (decide(w->book, w->policy, c, w->now_ms, NULL, &w->facts))
		obey(w);
	else
		cover_refusal(w->cover, act_of(c), from, &c->outcome.refusal);
	w->outcome = c->outcome;
}

/* ---- another policy ---- */

static void sweep(struct world *w)
{
	const struct case_file *c;

	casebook_walk(w->book);
	while (!w->script->failed && (c = casebook_walk_next(w->book)) != NULL)
		if (decide_sweep(w->book, w->policy, c->id, w->now_ms, &w->facts))
			obey(w);
}

static void expect_problem(struct world *w, const struct problems *p, const char *text)
{
	for (size_t i = 0; i < p->count; i++)
		if (strstr(p->lines[i], text))
			return;
	problems_print(p, stdout);
	script_fail(w->script, "no problem says \"%s\"", text);
}

void world_reload(struct world *w, const char *refused)
{
	struct problems p = { 0 };
	struct policy *fresh;

	w->changed = 0;
	if (!ready(w))
		return;
	fresh = policy_load(w->folder, &p);
	if (fresh == NULL || !policy_fits_casebook(w->book, fresh, w->now_ms, &p)) {
		policy_release(fresh);
		expect_problem(w, &p, refused ? refused : "(nothing: it should have been accepted)");
	} else {
		policy_release(w->policy);
		w->policy = fresh;
		if (refused)
			script_fail(w->script, "the jurisdiction was not refused");
		sweep(w);
	}
	problems_close(&p);
}
