#include "intake/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "intake/wire.h"
#include "workflow/doubt.h"
#include "workflow/case_number.h"
#include "workflow/domain.h"
#include "workflow/place.h"
#include "base/limit.h"
#include "store/query_stats.h"

#define E7 1e7
#define GRID_TEXT_SIZE 24

ProtobufCBinaryData view_number(struct question *q, int64_t case_id, int32_t category)
{
	if (case_id == 0)
		return wire_text(NULL);
	char *text = question_take(q, CASE_NUMBER_SIZE);

	case_number_text(case_id, category, text);
	return wire_text(text);
}

static ProtobufCBinaryData category_of(struct question *q, int32_t category)
{
	if (category == 0)
		return wire_text(NULL);
	char *text = question_take(q, CATEGORY_TEXT_SIZE);

	category_text(category, text);
	return wire_text(text);
}

static ProtobufCBinaryData grid_of(struct question *q, int64_t grid)
{
	if (grid == 0)
		return wire_text(NULL);
	char *text = question_take(q, GRID_TEXT_SIZE);

	must(snprintf(text, GRID_TEXT_SIZE, "%" PRId64, grid) > 0);
	return wire_text(text);
}

/* Green, yellow, red: how much of the handling limit is used up, where the handling clock runs or is paused. */
static const char *light_of(const struct case_file *c, int64_t now_ms)
{
	_Bool paused = c->state == STATE_SUSPENDED || c->state == STATE_RETURNED || c->state == STATE_WHISTLED;

	if (c->ended_ms != 0 || c->limit_ms <= 0 || (c->handle_due_ms == 0 && !paused))
		return NULL;
	if (c->handle_due_ms != 0)
		return now_ms > c->handle_due_ms ? "red" : now_ms >= c->handle_warn_ms ? "yellow" : "green";
	if (c->handle_left_ms < 0)
		return "red";
	return c->handle_left_ms <= c->limit_ms / 100 * (100 - LIMIT_YELLOW_PER_CENT) ? "yellow" : "green";
}

static _Bool is_overdue(const struct case_file *c, int64_t now_ms)
{
	if (c->ended_ms != 0)
		return 0;
	return (c->handle_due_ms != 0 && c->handle_due_ms < now_ms) ||
	       (c->stage_due_ms != 0 && c->stage_due_ms < now_ms);
}

/* Lasts as long as the question. */
static ProtobufCBinaryData doubts_of(struct question *q, const struct case_file *c)
{
	char *names = c->doubts ? question_take(q, DOUBT_NAMES_SIZE) : NULL;

	if (names)
		doubt_names(c->doubts, names);
	return wire_text(names);
}

void view_summary(struct question *q, const struct case_row *row, Gridloop__V1__CaseSummary *out)
{
	const struct case_file *c = &row->file;
	const struct category *category = policy_category(q->policy, c->category);
	const struct grid *grid = policy_grid(q->policy, c->grid);

	gridloop__v1__case_summary__init(out);
	out->number = view_number(q, c->id, c->category);
	out->state = (Gridloop__V1__State)c->state;
	out->category = category_of(q, c->category);
	out->category_name = wire_text(category ? category->name : NULL);
	out->grid = grid_of(q, c->grid);
	out->grid_name = wire_text(grid ? grid->name : NULL);
	out->handler = wire_text(c->handler);
	out->reporter = wire_text(c->reporter);
	out->reporter_kind = (Gridloop__V1__ReporterKind)c->reporter_kind;
	out->reported_ms = c->reported_ms;
	out->due_ms = c->stage_due_ms ? c->stage_due_ms : c->handle_due_ms;
	out->handle_due_ms = c->handle_due_ms;
	out->overdue = is_overdue(c, q->now_ms);
	out->level = c->level;
	out->address = wire_text(row->address);
	out->ended_ms = c->ended_ms;
	out->light = wire_text(light_of(c, q->now_ms));
	out->doubts = doubts_of(q, c);
}

void view_event(const struct fact *f, Gridloop__V1__CaseEvent *out)
{
	gridloop__v1__case_event__init(out);
	out->id = f->id;
	out->at_ms = f->at_ms;
	out->act = (Gridloop__V1__Act)f->act;
	out->from = (Gridloop__V1__State)f->from;
	out->to = (Gridloop__V1__State)f->to;
	out->actor = wire_text(f->actor);
	out->ref = wire_text(f->ref);
	out->text = wire_text(f->text);
	out->value = f->act == ACT_SUBMIT ? 0 : f->value; /* a case's id is nobody's business */
	out->due_ms = f->stage_due_ms ? f->stage_due_ms : f->handle_due_ms;
}

/* ---- one case in full ---- */

static void view_photos(struct question *q, const char *joined, Gridloop__V1__CaseView *out)
{
	const char *at = joined;

	if (!joined || !*joined)
		return;
	out->photos = question_take(q, COMMAND_PHOTOS_MOST * sizeof *out->photos);
	while (*at && out->n_photos < COMMAND_PHOTOS_MOST) {
		size_t length = strcspn(at, " ");

		out->photos[out->n_photos++] = (ProtobufCBinaryData){ length, (uint8_t *)(uintptr_t)at };
		at += length;
		at += *at == ' ';
	}
}

static void view_times(const struct case_file *c, int64_t now_ms, Gridloop__V1__CaseView *out)
{
	int64_t spent[STAGE_COUNT];
	enum stage stage = state_info((enum state)c->state)->stage;

	memcpy(spent, c->spent_ms, sizeof spent);
	/* What is booked ends where the present state began. */
	if (c->ended_ms == 0 && now_ms > c->since_ms)
		spent[stage] += now_ms - c->since_ms;
	out->discover_ms = spent[STAGE_DISCOVER];
	out->handle_ms = spent[STAGE_HANDLE];
	out->feedback_ms = spent[STAGE_FEEDBACK];
	out->paused_ms = spent[STAGE_PAUSED];
}

static void view_figures(const struct case_file *c, Gridloop__V1__CaseView *out)
{
	out->located = c->lat_e7 != PLACE_NONE;
	out->lat = out->located ? c->lat_e7 / E7 : 0;
	out->lon = out->located ? c->lon_e7 / E7 : 0;
	out->rating = (Gridloop__V1__Rating)c->rating;
	out->points = c->points;
	out->reopened = c->reopened;
	out->reworked = c->reworked;
	out->extended = c->extensions;
	out->alarm_count = (uint32_t)c->alarm_count;
}

static void view_helper(struct question *q, const struct case_file *c, int i, Gridloop__V1__CaseView *out)
{
	Gridloop__V1__CoHandler *one = question_take(q, sizeof *one);

	gridloop__v1__co_handler__init(one);
	one->unit = wire_text(c->helpers[i]);
	one->due_ms = c->helper_due_ms[i];
	one->done = c->helper_done >> i & 1;
	one->late = (c->helper_late >> i & 1) ||
	            (!one->done && c->ended_ms == 0 && one->due_ms != 0 && one->due_ms < q->now_ms);
	out->co_handling[out->n_co_handling++] = one;
}

static void view_helpers(struct question *q, const struct case_file *c, Gridloop__V1__CaseView *out)
{
	out->co_handlers = question_take(q, CASE_UNITS_MOST * sizeof *out->co_handlers);
	out->co_handling = question_take(q, CASE_UNITS_MOST * sizeof *out->co_handling);
	for (int i = 0; i < c->helper_count && i < CASE_UNITS_MOST; i++) {
		out->co_handlers[out->n_co_handlers++] = wire_text(c->helpers[i]);
		view_helper(q, c, i, out);
	}
	out->basis = wire_text(c->basis);
}

void view_case(struct question *q, const struct case_answer *answer, Gridloop__V1__CaseView *out)
{
	const struct case_file *c = &answer->row.file;

	gridloop__v1__case_view__init(out);
	out->summary = question_take(q, sizeof *out->summary);
	view_summary(q, &answer->row, out->summary);
	out->description = wire_text(answer->row.description);
	out->beneficiary = wire_text(answer->row.beneficiary);
	out->contact_name = wire_text(answer->row.contact_name);
	out->contact_phone = wire_text(answer->row.contact_phone);
	out->programme = wire_text(answer->row.programme);
	out->reported_grid = grid_of(q, c->reported_grid);
	out->phase = wire_text(rights_phase_name(state_info((enum state)c->state)->phase));
	out->merged_into = view_number(q, c->merged_into, c->category);
	view_photos(q, answer->row.photos, out);
	view_helpers(q, c, out);
	view_figures(c, out);
	view_times(c, q->now_ms, out);
}

/* Who reported anonymously is not named by what it sent either. */
static _Bool hides(const struct case_file *c, const struct case_evidence *row)
{
	return c->anonymous && c->actor && row->person && strcmp(c->actor, row->person) == 0;
}

void view_evidence(struct question *q, const struct case_file *c, struct case_evidence *rows, size_t count,
                   Gridloop__V1__CaseView *out)
{
	out->evidence = question_take(q, count * sizeof *out->evidence);
	out->n_evidence = count;
	for (size_t i = 0; i < count; i++) {
		Gridloop__V1__CaseEvidence *m = question_take(q, sizeof *m);

		gridloop__v1__case_evidence__init(m);
		m->sha256 = (ProtobufCBinaryData){ sizeof rows[i].sha256, rows[i].sha256 };
		m->role = (Gridloop__V1__PhotoRole)rows[i].role;
		m->type = wire_text(rows[i].type);
		m->size = rows[i].size;
		m->sender = wire_text(hides(c, &rows[i]) ? NULL : rows[i].person);
		m->at_ms = rows[i].at_ms;
		m->event = rows[i].event_id;
		out->evidence[i] = m;
	}
}

/* ---- rows of lists ---- */

void view_notice(struct question *q, const struct notice_row *row, Gridloop__V1__Notice *out)
{
	const struct notice_fact *f = &row->fact;

	gridloop__v1__notice__init(out);
	out->id = f->id;
	out->at_ms = f->at_ms;
	out->case_number = view_number(q, f->case_id, row->category);
	out->act = (Gridloop__V1__Act)f->act;
	out->state = (Gridloop__V1__State)f->state;
	out->text = wire_text(f->text);
	out->seen = row->seen;
	out->to = wire_text(f->to);
}

void view_ledger(struct question *q, const struct ledger_row *row, Gridloop__V1__LedgerRow *out)
{
	const struct ledger_fact *f = &row->fact;

	gridloop__v1__ledger_row__init(out);
	out->id = f->id;
	out->at_ms = f->at_ms;
	out->points = f->points;
	out->rule = wire_text(f->rule);
	out->case_number = view_number(q, f->case_id, row->category);
	out->text = wire_text(f->text);
	out->payable_ms = f->payable_ms;
}

void view_news(struct question *q, const struct news_row *row, Gridloop__V1__EventNews *out)
{
	const struct fact *f = &row->fact;

	gridloop__v1__event_news__init(out);
	out->event = question_take(q, sizeof *out->event);
	view_event(f, out->event);
	out->case_number = view_number(q, f->case_id, f->category);
	out->grid = grid_of(q, f->grid);
	out->category = category_of(q, f->category);
}

/* What a group's key stands for; NULL when the key says it all. */
static const char *group_name(const struct question *q, enum stats_by by, const char *key)
{
	int64_t code = by == STATS_AREA ? area_code_from_text(key) : 0;
	const struct area *area = policy_area(q->policy, code);
	const struct grid *grid = policy_grid(q->policy, code);
	const struct category *category = by == STATS_CATEGORY ? policy_category(q->policy, category_from_text(key))
	                                                       : NULL;
	const struct unit *unit = by == STATS_HANDLER ? policy_unit(q->policy, key) : NULL;

	if (area)
		return area->name;
	if (grid)
		return grid->name;
	if (category)
		return category->name;
	return unit ? unit->name : NULL;
}

#define TAKE(field) out->field = row->field

void view_stats(struct question *q, enum stats_by by, const struct stats_row *row, Gridloop__V1__StatsRow *out)
{
	gridloop__v1__stats_row__init(out);
	out->key = wire_text(row->key);
	out->name = wire_text(row->key ? group_name(q, by, row->key) : NULL);
	TAKE(received);
	TAKE(filed);
	TAKE(closed);
	TAKE(open);
	TAKE(overdue_open);
	TAKE(on_time);
	TAKE(due);
	TAKE(suspended);
	TAKE(reworked);
	TAKE(extended);
	TAKE(returned);
	TAKE(merged);
	TAKE(rejected);
	TAKE(cancelled);
	TAKE(satisfied);
	TAKE(fairly);
	TAKE(unsatisfied);
	TAKE(unanswered);
	TAKE(first_reply_ms);
	TAKE(replied);
	TAKE(points);
	TAKE(archived);
	TAKE(expired_alarms);
	TAKE(late);
	TAKE(exempted);
	TAKE(unlocated);
	TAKE(told_outside);
	TAKE(told_nowhere);
}
