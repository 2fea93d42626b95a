#include "show.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "workflow/domain.h"

#define NONE TABLE_NOTHING

const char *show_time(int64_t ms, char out[SHOW_SIZE])
{
	if (ms)
		clock_text(ms, out, SHOW_SIZE);
	else
		snprintf(out, SHOW_SIZE, NONE);
	return out;
}

struct scale {
	int64_t ms;
	const char *name;
	int64_t finer_ms;
	const char *finer;
};

static const struct scale scales[] = {
	{ CLOCK_DAY_MS, "d", CLOCK_HOUR_MS, "h" },
	{ CLOCK_HOUR_MS, "h", CLOCK_MINUTE_MS, "m" },
	{ CLOCK_MINUTE_MS, "m", CLOCK_MINUTE_MS, NULL },
	{ CLOCK_SECOND_MS, "s", CLOCK_SECOND_MS, NULL },
};

const char *show_span(int64_t ms, char out[SHOW_SIZE])
{
	const char *sign = ms < 0 ? "-" : "";
	int64_t size = ms < 0 ? -ms : ms;
	const struct scale *scale = scales;

	while (scale->finer && size < scale->ms)
		scale++;
	if (!scale->finer && size < scale->ms)
		scale++;

	int64_t rest = size % scale->ms / scale->finer_ms;

	if (scale->finer && rest)
		snprintf(out, SHOW_SIZE, "%s%" PRId64 "%s %" PRId64 "%s", sign, size / scale->ms, scale->name, rest,
		         scale->finer);
	else
		snprintf(out, SHOW_SIZE, "%s%" PRId64 "%s", sign, size / scale->ms, scale->name);
	return out;
}

const char *show_due(int64_t due_ms, int64_t now_ms, char out[SHOW_SIZE])
{
	char span[SHOW_SIZE], at[SHOW_SIZE];

	if (!due_ms)
		return show_time(0, out);
	show_time(due_ms, at);
	if (due_ms >= now_ms)
		snprintf(out, SHOW_SIZE, "%.20s (in %.20s)", at, show_span(due_ms - now_ms, span));
	else
		snprintf(out, SHOW_SIZE, "%.20s (%.20s ago)", at, show_span(now_ms - due_ms, span));
	return out;
}

/* The daemon may be newer and know states that this program does not. */
static const struct state_info *known_state(int state)
{
	return state > STATE_NONE && state < STATE_COUNT ? state_info((enum state)state) : NULL;
}

static const struct act_info *known_act(int act)
{
	return act > ACT_NONE && act < ACT_COUNT ? act_info((enum act)act) : NULL;
}

const char *show_state(int state, char out[SHOW_SIZE])
{
	const struct state_info *info = known_state(state);

	if (info)
		snprintf(out, SHOW_SIZE, "%s %s", info->name, info->zh);
	else
		snprintf(out, SHOW_SIZE, state ? "state %d" : NONE, state);
	return out;
}

const char *show_act(int act, char out[SHOW_SIZE])
{
	const struct act_info *info = known_act(act);

	if (info)
		snprintf(out, SHOW_SIZE, "%s %s", info->name, info->zh);
	else
		snprintf(out, SHOW_SIZE, act ? "act %d" : NONE, act);
	return out;
}

const char *name_of_state(int state)
{
	const struct state_info *info = known_state(state);

	return info ? info->name : NULL;
}

const char *name_of_act(int act)
{
	const struct act_info *info = known_act(act);

	return info ? info->name : NULL;
}

const char *name_of_kind(int kind)
{
	return kind > REPORTER_UNSET && kind < REPORTER_KIND_COUNT ? reporter_kind_name((enum reporter_kind)kind)
	                                                           : NULL;
}

const char *name_of_rating(int rating)
{
	return rating > RATING_NONE && rating <= RATING_UNANSWERED ? rating_name((enum rating)rating) : NULL;
}

enum tint tint_of_light(const char *light)
{
	static const struct {
		const char *light;
		enum tint tint;
	} rows[] = { { "green", TINT_GREEN }, { "yellow", TINT_YELLOW }, { "red", TINT_RED } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].light, light) == 0)
			return rows[i].tint;
	return TINT_NONE;
}

void json_time(struct json *j, const char *key, int64_t ms)
{
	time_t second = (time_t)(ms / 1000);
	struct tm tm;
	char text[SHOW_SIZE];

	if (!ms || !gmtime_r(&second, &tm)) {
		json_text(j, key, NULL);
		return;
	}

	size_t used = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);

	snprintf(text + used, sizeof text - used, ".%03dZ", (int)(ms % 1000));
	json_text(j, key, text);
}

void json_field(struct json *j, const char *key, wire_bytes field)
{
	json_text(j, key, field.len ? wire_text(field) : NULL);
}

void json_texts(struct json *j, const char *key, const wire_bytes *fields, size_t count)
{
	json_open(j, key, '[');
	for (size_t i = 0; i < count; i++)
		json_text(j, NULL, wire_text(fields[i]));
	json_close(j, ']');
}

void json_summary(struct json *j, const wire_summary *s)
{
	json_field(j, "number", s->number);
	json_text(j, "state", name_of_state((int)s->state));
	json_field(j, "category", s->category);
	json_field(j, "category_name", s->category_name);
	json_field(j, "grid", s->grid);
	json_field(j, "grid_name", s->grid_name);
	json_field(j, "handler", s->handler);
	json_field(j, "reporter", s->reporter);
	json_text(j, "reporter_kind", name_of_kind((int)s->reporter_kind));
	json_time(j, "reported", s->reported_ms);
	json_time(j, "due", s->due_ms);
	json_time(j, "handle_due", s->handle_due_ms);
	json_bool(j, "overdue", s->overdue);
	json_int(j, "level", s->level);
	json_field(j, "address", s->address);
	json_time(j, "ended", s->ended_ms);
	json_field(j, "light", s->light);
	json_field(j, "doubts", s->doubts);
}

void json_event(struct json *j, const wire_event *e)
{
	json_int(j, "id", e->id);
	json_time(j, "at", e->at_ms);
	json_text(j, "act", name_of_act((int)e->act));
	json_text(j, "from", name_of_state((int)e->from));
	json_text(j, "to", name_of_state((int)e->to));
	json_field(j, "actor", e->actor);
	json_field(j, "ref", e->ref);
	json_field(j, "text", e->text);
	json_int(j, "value", e->value);
	json_time(j, "due", e->due_ms);
}

void json_answer(struct json *j, const wire_answer *a)
{
	json_field(j, "number", a->case_number);
	json_text(j, "state", name_of_state((int)a->state));
	json_time(j, "due", a->due_ms);
	json_bool(j, "again", a->again);
	json_field(j, "merged_into", a->merged_into);
	json_field(j, "maybe_same_as", a->maybe_same_as);
}

void json_notice(struct json *j, const wire_notice *n)
{
	json_int(j, "id", n->id);
	json_time(j, "at", n->at_ms);
	json_field(j, "number", n->case_number);
	json_text(j, "act", name_of_act((int)n->act));
	json_text(j, "state", name_of_state((int)n->state));
	json_field(j, "to", n->to);
	json_field(j, "text", n->text);
	json_bool(j, "seen", n->seen);
}

void json_ledger(struct json *j, const Gridloop__V1__LedgerRow *row)
{
	json_int(j, "id", row->id);
	json_time(j, "at", row->at_ms);
	json_int(j, "points", row->points);
	json_field(j, "rule", row->rule);
	json_field(j, "number", row->case_number);
	json_time(j, "payable", row->payable_ms);
	json_field(j, "text", row->text);
}

void json_audit(struct json *j, const Gridloop__V1__AuditRow *row)
{
	json_int(j, "id", row->id);
	json_time(j, "at", row->at_ms);
	json_field(j, "who", row->who);
	json_field(j, "what", row->what);
	json_field(j, "subject", row->subject);
	json_field(j, "purpose", row->purpose);
	json_field(j, "channel", row->channel);
	json_int(j, "count", row->count);
	json_bool(j, "erased", row->erased);
}

void json_identity(struct json *j, const Gridloop__V1__Identity *who)
{
	json_field(j, "person", who->person);
	json_field(j, "name", who->name);
	json_texts(j, "roles", who->roles, who->n_roles);
	json_field(j, "area", who->area);
	json_field(j, "unit", who->unit);
}

const char *name_of_credential(const Gridloop__V1__Credential *c)
{
	return c->kind == GRIDLOOP__V1__CREDENTIAL_KIND__CERTIFICATE ? "certificate" : "token";
}

void json_credential(struct json *j, const Gridloop__V1__Credential *c)
{
	if (c->id)
		json_int(j, "id", c->id);
	else
		json_text(j, "id", NULL);
	json_field(j, "person", c->person);
	json_text(j, "kind", name_of_credential(c));
	json_bool(j, "in_file", c->id == 0);
	json_bool(j, "live", c->live);
	json_field(j, "label", c->label);
	json_time(j, "made", c->made_ms);
	json_field(j, "made_by", c->made_by);
	json_time(j, "expires", c->expires_ms);
	json_time(j, "revoked", c->revoked_ms);
	json_field(j, "revoked_by", c->revoked_by);
	json_field(j, "why", c->why);
	if (c->replaces)
		json_int(j, "replaces", c->replaces);
}
