/* report: something was found; it becomes a case. */
#include <stdlib.h>
#include <string.h>

#include "show.h"
#include "upload.h"
#include "verb.h"
#include "workflow/command.h"
#include "workflow/case_number.h"

static const struct option_row report_options[] = {
	{ "--at", OPTION_PLACE, "LAT,LON", "where it is, in degrees of WGS-84 (GPS)", 0, 0 },
	{ "--gcj", OPTION_FLAG, NULL, "--at is GCJ-02, as Chinese phone maps give it", 0, 0 },
	{ "--address", OPTION_TEXT, "TEXT", "where it is, in words", 0, 0 },
	{ "--photo", OPTION_TEXT, PHOTO_VALUE, PHOTO_HELP, 0, 1 },
	{ "--anonymous", OPTION_FLAG, NULL, "keep no name: no notices, no points", 0, 0 },
	{ "--for", OPTION_TEXT, "NAME", "on whose behalf (代办)", 0, 0 },
	{ "--contact", OPTION_TEXT, "NAME", "who can be asked about it", 0, 0 },
	{ "--phone", OPTION_TEXT, "NUMBER", "and by which number; both are shown masked", 0, 0 },
	{ "--programme", OPTION_TEXT, "NAME", "service project this belongs to", 0, 0 },
	{ "--seen", OPTION_TIME, "TIME", "when it was seen (a span means so long ago); now", 0, 0 },
	{ "--reporter", OPTION_TEXT, "ID", "gateways only: the platform's own id of who reports", 0, 0 },
	{ "--kind", OPTION_WORD,
	  "resident|grid-worker|part-time-worker|courier|food-rider|ride-hail|property|contractor|volunteer|hotline|"
	  "camera|meeting",
	  "gateways only: what the reporter is", 0, 0 },
	{ "--key", OPTION_TEXT, "UUID", "send an earlier try again under its key", 0, 0 },
	{ 0 },
};

/* What happens next, by the state the report arrived in. */
static const char *const next_by_state[STATE_COUNT] = {
	[STATE_REPORTED] = "an acceptor decides whether it is filed 立案",
	[STATE_ALARM_PENDING] = "a person confirms the alarm or dismisses it",
	[STATE_VERIFYING] = "a grid worker goes and looks 核实",
	[STATE_FILED] = "a dispatcher finds the unit that handles it 派遣",
	[STATE_DISPATCHED] = "the unit signs for it 签收",
	[STATE_HANDLING] = "the unit handles it 处置",
	[STATE_HANDLED] = "somebody else checks the result 核查",
	[STATE_CHECKING] = "somebody else checks the result 核查",
	[STATE_CLOSED] = "you say whether you are satisfied: gridloop review",
	[STATE_MERGED] = "it was known already; you get the news of the case it joined",
};

static void print_answer(const struct call *call, const wire_answer *a, int64_t now_ms)
{
	char state[SHOW_SIZE], due[SHOW_SIZE];
	unsigned at = (unsigned)a->state < STATE_COUNT ? (unsigned)a->state : 0;

	printf("%s%s%s  %s%s\n", tint_on(TINT_BOLD, call->color), wire_text(a->case_number),
	       tint_off(TINT_BOLD, call->color), show_state((int)a->state, state),
	       a->again ? "  (reported before under this key)" : "");
	if (next_by_state[at])
		printf("  next: %s\n", next_by_state[at]);
	if (a->due_ms)
		printf("  by:   %s\n", show_due(a->due_ms, now_ms, due));
	if (a->merged_into.len)
		printf("  joined: %s\n", wire_text(a->merged_into));
	if (a->maybe_same_as.len)
		printf("  perhaps the same as: %s\n", wire_text(a->maybe_same_as));
	printf("  follow it: gridloop case show %s\n", wire_text(a->case_number));
}

static void print_answer_json(const struct uuid *key, const wire_answer *a)
{
	struct json j;
	char text[UUID_TEXT_SIZE];

	uuid_text(key, text);
	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_answer(&j, a);
	json_text(&j, "key", text);
	json_close(&j, '}');
	putchar('\n');
}

static void fill_place(const struct options *o, wire_place *place, wire_report *r)
{
	if (!options_place(o, "--at", &place->lat, &place->lon))
		return;
	place->datum = options_flag(o, "--gcj") ? GRIDLOOP__V1__DATUM__GCJ02 : GRIDLOOP__V1__DATUM__WGS84;
	r->place = place;
}

static void fill_reporter(const struct options *o, wire_reporter *reporter, wire_report *r)
{
	int kind = options_word(o, "--kind");

	reporter->id = wire_from_text(options_text(o, "--reporter"));
	/* The words of --kind stand in the order of the contract's numbers, which begin at 1. */
	reporter->kind = (Gridloop__V1__ReporterKind)(kind + 1);
	if (kind >= 0 || reporter->id.len)
		r->reporter = reporter;
}

static enum exit_code send_report(struct call *call, const struct uuid *key, wire_report *r)
{
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	char text[UUID_TEXT_SIZE];
	enum exit_code code = EXIT_OK;

	frame.body_case = CLIENT_BODY(SUBMIT);
	frame.submit = r;

	server_frame *reply = call_ask_surely(call, &frame, SERVER_BODY(ANSWER), &code);

	if (!reply) {
		uuid_text(key, text);
		if (code == EXIT_LOST && call->login.server)
			fprintf(stderr, "  again: the same command with --key %s reports it once, whatever happened\n",
			        text);
		return code;
	}
	if (call->json)
		print_answer_json(key, reply->answer);
	else
		print_answer(call, reply->answer, client_now_ms(call->client));
	wire_free(reply);
	return EXIT_OK;
}

static enum exit_code run_report(struct call *call)
{
	const struct options *o = &call->options;
	wire_report r = GRIDLOOP__V1__REPORT__INIT;
	wire_place place = GRIDLOOP__V1__PLACE__INIT;
	wire_reporter reporter = GRIDLOOP__V1__REPORTER__INIT;
	struct given_photos photos;
	struct uuid key;
	enum exit_code code;

	if (category_from_text(o->words[0]) == 0)
		return call_usage(call, "\"%.40s\" is no category; expected a code such as E0110", o->words[0]);
	if (!call_key(call, &key))
		return EXIT_USAGE;
	if (!photos_take(call, &photos, &code))
		return code;

	char *text = options_rest(o, 1);

	r.key = wire_from_uuid(&key);
	r.category = wire_from_text(o->words[0]);
	r.address = wire_from_text(options_text(o, "--address"));
	r.description = wire_from_text(text);
	r.anonymous = options_flag(o, "--anonymous");
	r.beneficiary = wire_from_text(options_text(o, "--for"));
	r.contact_name = wire_from_text(options_text(o, "--contact"));
	r.contact_phone = wire_from_text(options_text(o, "--phone"));
	r.programme = wire_from_text(options_text(o, "--programme"));
	r.photos = photos.references;
	r.n_photos = photos.reference_count;
	r.evidence = photos.list;
	r.n_evidence = photos.evidence_count;
	r.seen_at_ms = options_time(o, "--seen", wall_now_ms(), -1);
	fill_place(o, &place, &r);
	fill_reporter(o, &reporter, &r);

	code = send_report(call, &key, &r);

	free(text);
	return code;
}

const struct verb report_verbs[] = {
	{ .name = "report",
	  .zh = "上报",
	  .phase = PHASE_DISCOVER,
	  .flags = VERB_SERVER | VERB_JSON,
	  .usage = "CATEGORY [--at LAT,LON [--gcj]] [--address TEXT] [options] TEXT…",
	  .summary = "report something found",
	  .help = "Reports something and prints the case number, what happens next and by when. What is printed is on "
	          "the\n"
	          "daemon's disk. The report carries a key of its own: when the connection is lost on the way the same "
	          "key is\n"
	          "sent again, so the case is opened once. Without --at and --address it waits to be located by hand.",
	  .options = report_options,
	  .example =
	          "gridloop report E0110 --at 34.3412,108.9471 \"rubbish beside the bins, three days old\"\n"
	          "gridloop report E0506 --address \"北门桥下\" --photo near.jpg:near --photo far.jpg:far 积水没过脚踝",
	  .related = "case show, watch, withdraw, review",
	  .least_words = 1,
	  .most_words = -1,
	  .run = run_report },
	{ 0 },
};
