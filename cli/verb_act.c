/* Runs any act of the table in acts.c. */
#include <stdlib.h>
#include <string.h>

#include "acts.h"
#include "base/clock.h"
#include "show.h"
#include "upload.h"
#include "workflow/command.h"

/* The message and what its fields borrow. */
struct ask {
	wire_action action;
	wire_place place;
	wire_reporter reporter;
	struct given_photos photos;
	wire_bytes units[COMMAND_UNITS_MOST];
	struct uuid key;
	char *words;
	const char *text;
};

/* Every value of one repeating option; false: printed, too many. */
static _Bool fill_many(const struct call *call, enum act_option option, int most, wire_bytes *out, size_t *count)
{
	const char *values[COMMAND_UNITS_MOST + 1];
	const char *name = act_options[option].name;
	int given = options_all(&call->options, name, values, most + 1);

	if (given > most) {
		call_usage(call, "%s may be given at most %d times", name, most);
		return 0;
	}
	for (int i = 0; i < given; i++)
		out[(*count)++] = wire_from_text(values[i]);
	return 1;
}

static _Bool fill_lists(const struct call *call, struct ask *a)
{
	/* No act takes both --with and --call. */
	_Bool good =
		fill_many(call, TAKES_WITH, COMMAND_UNITS_MOST, a->units, &a->action.n_units) &&
		(a->action.n_units || fill_many(call, TAKES_CALL, COMMAND_UNITS_MOST, a->units, &a->action.n_units));

	a->action.units = a->units;
	return good;
}

static const char *given(const struct call *call, enum act_option option)
{
	return options_text(&call->options, act_options[option].name);
}

static void fill_texts(const struct call *call, struct ask *a)
{
	const char *unit = given(call, TAKES_UNIT);
	wire_action *to = &a->action;

	to->case_number = wire_from_text(call->options.words[0]);
	to->reason = wire_from_text(given(call, TAKES_REASON));
	to->text = wire_from_text(a->text);
	to->unit = wire_from_text(unit ? unit : given(call, TAKES_WORKER));
	to->category = wire_from_text(given(call, TAKES_CATEGORY));
	to->grid = wire_from_text(given(call, TAKES_GRID));
	to->master = wire_from_text(given(call, TAKES_INTO));
	a->reporter.id = wire_from_text(given(call, TAKES_REPORTER));
	if (a->reporter.id.len)
		to->reporter = &a->reporter;
}

static void fill_values(const struct call *call, int64_t now_ms, struct ask *a)
{
	const struct options *o = &call->options;

	a->action.act = (Gridloop__V1__Act)call->verb->act;
	a->action.until_ms = options_time(o, "--until", now_ms, 1);
	struct limit by = options_limit(o, "--by");

	a->action.extend_ms = by.amount;
	a->action.extend_unit = (Gridloop__V1__LimitUnit)by.unit;
	/* The words of both options stand in the order of the contract's numbers, which begin at 1. */
	a->action.finding = (Gridloop__V1__Finding)(options_word(o, "--finding") + 1);
	a->action.rating = (Gridloop__V1__Rating)(options_word(o, "--rating") + 1);
	if (options_place(o, "--at", &a->place.lat, &a->place.lon)) {
		a->place.datum = options_flag(o, "--gcj") ? GRIDLOOP__V1__DATUM__GCJ02 : GRIDLOOP__V1__DATUM__WGS84;
		a->action.place = &a->place;
	}
}

static _Bool fill_photos(struct call *call, struct ask *a, enum exit_code *code)
{
	if (!photos_take(call, &a->photos, code))
		return 0;
	a->action.photos = a->photos.references;
	a->action.n_photos = a->photos.reference_count;
	a->action.evidence = a->photos.list;
	a->action.n_evidence = a->photos.evidence_count;
	return 1;
}

/* What the act needs and was not given; 0: nothing. */
static enum exit_code check_needs(const struct call *call, const struct ask *a)
{
	for (int i = 0; i < ACT_OPTION_COUNT; i++) {
		const struct option_row *row = &act_options[i];

		if (!(call->verb->needs >> i & 1) || options_text(&call->options, row->name))
			continue;
		if (i == TAKES_TEXT && a->text)
			continue;
		if (i == TAKES_TEXT)
			return call_usage(call, "say it in words behind the number");
		return call_usage(call, "%s %s is needed: %s", row->name, row->value, row->help);
	}
	return EXIT_OK;
}

static void print_done(const struct call *call, const wire_answer *a)
{
	char state[SHOW_SIZE], due[SHOW_SIZE];
	struct json j;

	if (call->json) {
		json_init(&j, stdout);
		json_open(&j, NULL, '{');
		json_answer(&j, a);
		json_close(&j, '}');
		putchar('\n');
		return;
	}
	printf("%s%s%s  %s %s → %s%s\n", tint_on(TINT_BOLD, call->color), wire_text(a->case_number),
	       tint_off(TINT_BOLD, call->color), call->verb->name, call->verb->zh, show_state((int)a->state, state),
	       a->again ? "  (done before under this key)" : "");
	if (a->due_ms)
		printf("  next step due: %s\n", show_due(a->due_ms, client_now_ms(call->client), due));
	if (a->merged_into.len)
		printf("  joined: %s\n", wire_text(a->merged_into));
}

static enum exit_code send_action(struct call *call, struct ask *a)
{
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	char text[UUID_TEXT_SIZE];
	enum exit_code code = EXIT_OK;

	frame.body_case = CLIENT_BODY(ACTION);
	frame.action = &a->action;

	server_frame *reply = call_ask_surely(call, &frame, SERVER_BODY(ANSWER), &code);

	if (!reply) {
		uuid_text(&a->key, text);
		if (code == EXIT_LOST)
			fprintf(stderr, "  again: the same command with --key %s does it once, whatever happened\n",
			        text);
		return code;
	}
	print_done(call, reply->answer);
	wire_free(reply);
	return EXIT_OK;
}

enum exit_code act_run(struct call *call)
{
	struct ask a = { .action = GRIDLOOP__V1__ACTION__INIT,
		         .place = GRIDLOOP__V1__PLACE__INIT,
		         .reporter = GRIDLOOP__V1__REPORTER__INIT };
	int64_t now_ms = wall_now_ms();
	enum exit_code code;

	a.words = options_rest(&call->options, 1);
	a.text = a.words ? a.words : given(call, TAKES_TEXT);
	code = check_needs(call, &a);
	if (code == EXIT_OK && (!call_key(call, &a.key) || !fill_lists(call, &a)))
		code = EXIT_USAGE;
	/* A replay daemon's clock is not ours, so a span such as "--until 30d" is counted on the daemon's. */
	if (code == EXIT_OK && given(call, TAKES_UNTIL) && !call_now(call, &now_ms, &code))
		now_ms = 0;
	if (code == EXIT_OK && fill_photos(call, &a, &code)) {
		a.action.key = wire_from_uuid(&a.key);
		fill_texts(call, &a);
		fill_values(call, now_ms, &a);
		code = send_action(call, &a);
	}
	free(a.words);
	return code;
}
