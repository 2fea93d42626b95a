/* policy and reload: which policy is in force, and the jurisdiction's files put in force anew. */
#include <inttypes.h>

#include "base/clock.h"
#include "show.h"
#include "verb.h"

#define RELOAD_WAIT_MS (10 * CLOCK_MINUTE_MS) /* a large jurisdiction is read and checked whole */

typedef Gridloop__V1__PolicyState wire_policy;
typedef Gridloop__V1__Reloaded wire_reloaded;

/* ---- the state ---- */

static void json_state(struct json *j, const wire_policy *m)
{
	json_field(j, "digest", m->digest);
	json_time(j, "in_force_since", m->from_ms);
	json_bool(j, "sweeping", m->sweeping);
	json_int(j, "visited", m->visited);
	json_int(j, "changed", m->changed);
}

static void print_state(const wire_policy *m)
{
	char since[SHOW_SIZE];

	printf("policy %.12s, in force since %s\n", wire_text(m->digest), show_time(m->from_ms, since));
	if (m->sweeping)
		printf("  open cases are being looked at: %" PRId64 " so far, something was due for %" PRId64 "\n",
		       m->visited, m->changed);
	else if (m->visited > 0)
		printf("  %" PRId64 " open cases were looked at, something was due for %" PRId64 "\n", m->visited,
		       m->changed);
}

static enum exit_code run_policy(struct call *call)
{
	Gridloop__V1__GetPolicy ask = GRIDLOOP__V1__GET_POLICY__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	enum exit_code code = EXIT_OK;
	struct json j;

	frame.body_case = CLIENT_BODY(GET_POLICY);
	frame.get_policy = &ask;

	server_frame *reply = call_ask(call, &frame, SERVER_BODY(POLICY_STATE), &code);

	if (!reply)
		return code;
	if (call->json) {
		json_init(&j, stdout);
		json_open(&j, NULL, '{');
		json_state(&j, reply->policy_state);
		json_close(&j, '}');
		putchar('\n');
	} else {
		print_state(reply->policy_state);
	}
	wire_free(reply);
	return EXIT_OK;
}

/* ---- reload ---- */

static void json_reloaded(const wire_reloaded *m)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_bool(&j, "ok", !m->refusal);
	if (m->refusal) {
		json_field(&j, "rule", m->refusal->rule);
		json_field(&j, "sentence", m->refusal->sentence);
	}
	json_bool(&j, "unchanged", m->unchanged);
	json_state(&j, m->policy);
	json_texts(&j, "problems", m->problems, m->n_problems);
	json_texts(&j, "warnings", m->warnings, m->n_warnings);
	json_int(&j, "left_out", m->left_out);
	json_close(&j, '}');
	putchar('\n');
}

static void print_told(const wire_bytes *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("%s\n", wire_text(lines[i]));
}

static void print_reloaded(const wire_reloaded *m)
{
	print_told(m->problems, m->n_problems);
	print_told(m->warnings, m->n_warnings);
	if (m->left_out)
		printf("and %" PRIu32 " further lines; the daemon's log has them\n", m->left_out);
	if (m->refusal)
		printf("refused by %s: %s\n", wire_text(m->refusal->rule), wire_text(m->refusal->sentence));
	else
		puts(m->unchanged ? "unchanged: the files are those of the policy in force"
		                  : "taken: the files are in force");
	print_state(m->policy);
}

static enum exit_code run_reload(struct call *call)
{
	Gridloop__V1__Reload ask = GRIDLOOP__V1__RELOAD__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	struct trouble why = { 0 };
	enum exit_code code = EXIT_OK;
	int64_t now_ms;

	if (!call_now(call, &now_ms, &code))
		return code;
	frame.body_case = CLIENT_BODY(RELOAD);
	frame.reload = &ask;

	server_frame *reply = client_ask(call->client, &frame, RELOAD_WAIT_MS, &why);

	if (reply && ((int)reply->body_case != SERVER_BODY(RELOADED) || !reply->reloaded->policy)) {
		wire_free(reply);
		reply = NULL;
		trouble_set(&why, EXIT_LOST, "the daemon answered something else; compare `gridloop version`");
	}
	if (!reply) {
		trouble_print(&why, call->json);
		return why.exit;
	}
	if (call->json)
		json_reloaded(reply->reloaded);
	else
		print_reloaded(reply->reloaded);
	code = reply->reloaded->refusal ? EXIT_REFUSED : EXIT_OK;
	wire_free(reply);
	return code;
}

#define OPERATES .phase = PHASE_OPERATE, .flags = VERB_SERVER | VERB_JSON

const struct verb reload_verbs[] = {
	{ .name = "policy",
	  .zh = "政策",
	  OPERATES,
	  .usage = "",
	  .summary = "which policy is in force, and since when",
	  .help = "The digest is that of the jurisdiction's files: two daemons that print the same one decide alike.",
	  .example = "gridloop policy",
	  .related = "reload, check-config",
	  .most_words = 0,
	  .run = run_policy },
	{ .name = "reload",
	  .zh = "重载",
	  OPERATES,
	  .usage = "",
	  .summary = "put the jurisdiction's files in force anew, whole or not at all",
	  .help = "For supervisors and operators. The daemon goes on serving. A mistake in any file, or a policy that\n"
	          "open cases could not go on under, changes nothing and is told as a list. Then every open case is\n"
	          "looked at: one whose unit is gone goes back to be dispatched again. People who are gone from\n"
	          "people.csv, or whose token was changed, are shut out. The same happens on SIGHUP.",
	  .example = "gridloop reload",
	  .related = "policy, check-config",
	  .most_words = 0,
	  .run = run_reload },
	{ 0 },
};
