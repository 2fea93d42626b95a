/* check-config and verify: verbs on files, without a daemon. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "jurisdiction/cameras.h"
#include "jurisdiction/config.h"
#include "jurisdiction/policy.h"
#include "progress.h"
#include "show.h"
#include "store/verify.h"
#include "workflow/case_number.h"
#include "table.h"
#include "verb.h"
#include "workflow/domain.h"

/* ---- check-config ---- */

typedef const void *(*at_function)(const struct policy *p, size_t i);

#define AT(kind)                                                                                                       \
	static const void *kind##_at(const struct policy *p, size_t i)                                                 \
	{                                                                                                              \
		return policy_##kind##_at(p, i);                                                                       \
	}

AT(area)
AT(grid)
AT(category)
AT(unit)
AT(person)
AT(camera)
AT(camera_label)

static const struct {
	const char *what;
	at_function at;
} lists[] = {
	{ "areas", area_at },    { "grids", grid_at },     { "categories", category_at },        { "units", unit_at },
	{ "people", person_at }, { "cameras", camera_at }, { "camera labels", camera_label_at },
};

static long long count_of(const struct policy *p, at_function at)
{
	size_t count = 0;

	while (at(p, count))
		count++;
	return (long long)count;
}

static void json_lines(struct json *j, const char *name, char *const *lines, size_t count)
{
	json_open(j, name, '[');
	for (size_t i = 0; i < count; i++)
		json_text(j, NULL, lines[i]);
	json_close(j, ']');
}

static void print_problems(const struct call *call, const struct problems *p)
{
	struct json j;

	if (!call->json) {
		problems_print(p, stdout);
		printf("%zu problem%s\n", p->count, p->count == 1 ? "" : "s");
		return;
	}
	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_bool(&j, "ok", 0);
	json_lines(&j, "problems", p->lines, p->count);
	json_close(&j, '}');
	putchar('\n');
}

static void print_counts(const struct call *call, const struct policy *p, const struct problems *warnings)
{
	size_t count = sizeof lists / sizeof lists[0];
	struct json j;

	if (!call->json) {
		printf("OK:");
		for (size_t i = 0; i < count; i++)
			printf("%s %lld %s", i ? "," : "", count_of(p, lists[i].at), lists[i].what);
		putchar('\n');
		problems_print(warnings, stdout);
		return;
	}
	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_bool(&j, "ok", 1);
	for (size_t i = 0; i < count; i++)
		json_int(&j, lists[i].what, count_of(p, lists[i].at));
	json_lines(&j, "warnings", warnings->warnings, warnings->warning_count);
	json_close(&j, '}');
	putchar('\n');
}

struct policy *policy_of(const char *path, struct problems *p)
{
	struct stat info;
	struct config config = { 0 };

	if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
		return policy_load(path, p);
	if (!config_load(&config, path, NULL, 0, p))
		return NULL;

	struct policy *policy = policy_load(config.jurisdiction, p);

	if (policy && !config_fits(&config, policy, p)) {
		policy_release(policy);
		policy = NULL;
	}
	config_close(&config);
	return policy;
}

static enum exit_code run_check_config(struct call *call)
{
	struct problems problems = { 0 };
	struct policy *policy = policy_of(call->options.words[0], &problems);
	enum exit_code code = policy ? EXIT_OK : EXIT_REFUSED;

	if (policy) {
		policy_warn(policy, wall_now_ms(), &problems);
		print_counts(call, policy, &problems);
	} else {
		print_problems(call, &problems);
	}
	policy_release(policy);
	problems_close(&problems);
	return code;
}

/* ---- verify ---- */

static void show_bar(void *ctx, int64_t done, int64_t all)
{
	progress_show(ctx, done, all);
}

static void print_checks(const struct call *call, const struct verify_report *r)
{
	static const struct column columns[] = {
		{ "", 0, 0, 0 },          { "check", 0, 0, 0 },  { "invariant", 1, 0, 1 },
		{ "looked at", 1, 0, 0 }, { "broken", 1, 0, 0 }, { "the first", 0, 1, 0 },
	};
	struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
	char invariant[16];

	for (int i = 0; i < r->count; i++) {
		const struct verify_check *c = &r->checks[i];

		snprintf(invariant, sizeof invariant, "%d", c->invariant);
		table_cell_as(t, c->broken ? "✗" : "✓", c->broken ? TINT_RED : TINT_GREEN, c->broken ? "broken" : "ok");
		table_cell(t, c->name);
		table_cell(t, c->invariant ? invariant : "");
		table_cell_int(t, c->looked_at);
		table_cell_int(t, c->broken);
		table_cell(t, c->broken ? c->first : "");
	}
	table_print(t, stdout, call->width, call->color);
	table_free(t);
	printf("%" PRId64 " received = %" PRId64 " open + %" PRId64 " archived; %" PRId64 " events, %" PRId64
	       " ledger rows, %" PRId64 " audit rows\n",
	       r->received, r->open, r->archived, r->events, r->ledger_rows, r->audit_rows);
	puts(verify_holds(r) ? "everything holds" : "something is broken: keep the file, restore a backup beside it");
}

static void print_checks_json(const struct verify_report *r)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_bool(&j, "holds", verify_holds(r));
	json_int(&j, "received", r->received);
	json_int(&j, "open", r->open);
	json_int(&j, "archived", r->archived);
	json_int(&j, "events", r->events);
	json_int(&j, "ledger_rows", r->ledger_rows);
	json_int(&j, "audit_rows", r->audit_rows);
	json_open(&j, "checks", '[');
	for (int i = 0; i < r->count; i++) {
		json_open(&j, NULL, '{');
		json_text(&j, "name", r->checks[i].name);
		json_int(&j, "invariant", r->checks[i].invariant);
		json_int(&j, "looked_at", r->checks[i].looked_at);
		json_int(&j, "broken", r->checks[i].broken);
		json_text(&j, "first", r->checks[i].broken ? r->checks[i].first : NULL);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	putchar('\n');
}

static const struct option_row verify_options[] = {
	{ "--jurisdiction", OPTION_TEXT, "FOLDER", "also that each case's grid was the one of its place, by this map",
	  0, 0 },
	{ "--heads", OPTION_TEXT, "HEADS", "also that the chains lead on from these, as a backup or the log noted them",
	  0, 0 },
	{ "--evidence", OPTION_TEXT, "FOLDER", "also that each photo and clip lies there with the right bytes", 0, 0 },
	{ 0 },
};

/* As verify_map; a jurisdiction that cannot be loaded is told here. */
static _Bool verify_by_map(const char *path, const char *folder, struct progress *bar, struct verify_report *report,
                           char **cause)
{
	struct problems p = { 0 };
	struct policy *policy = policy_of(folder, &p);
	_Bool readable = policy && verify_map(path, policy, show_bar, bar, report, cause);

	if (!policy) {
		problems_print(&p, stderr);
		*cause = must_strdup("the jurisdiction cannot be used");
	}
	problems_close(&p);
	policy_release(policy);
	return readable;
}

static enum exit_code run_verify(struct call *call)
{
	const char *path = call->options.words[0];
	struct verify_report report = { 0 };
	struct progress bar;
	char *cause = NULL;

	/* Two things are called verify in this field; whoever means the other one is told. */
	if (case_number_id(path) != 0 && access(path, F_OK) != 0)
		return call_usage(
			call,
			"\"%.60s\" is a case, not a database; to have a report verified: gridloop ask-verify %.60s",
			path, path);
	progress_init(&bar, "verifying");

	const char *evidence = options_text(&call->options, "--evidence");
	const char *folder = options_text(&call->options, "--jurisdiction");
	const char *heads = options_text(&call->options, "--heads");
	_Bool readable = verify_database(path, show_bar, &bar, &report, &cause) &&
	                 (!heads || verify_heads(path, heads, &report, &cause)) &&
	                 (!evidence || verify_evidence(path, evidence, show_bar, &bar, &report, &cause)) &&
	                 (!folder || verify_by_map(path, folder, &bar, &report, &cause));

	progress_end(&bar);
	if (!readable) {
		fprintf(stderr, "gridloop: %s\n", cause ? cause : path);
		free(cause);
		return EXIT_REFUSED;
	}
	if (call->json)
		print_checks_json(&report);
	else
		print_checks(call, &report);
	return verify_holds(&report) ? EXIT_OK : EXIT_REFUSED;
}

const struct verb offline_verbs[] = {
	{ .name = "check-config",
	  .zh = "检查配置",
	  .phase = PHASE_OPERATE,
	  .flags = VERB_JSON,
	  .usage = "FILE|FOLDER",
	  .summary = "read a configuration file, or a jurisdiction folder, as the daemon would",
	  .help = "Reads gridloop.conf and the jurisdiction that it names, or a jurisdiction folder alone, and prints "
	          "every\n"
	          "problem with file and line, and what will hurt soon as warnings. Nothing is started and nothing is "
	          "changed.",
	  .example = "gridloop check-config /etc/gridloop/gridloop.conf\ngridloop check-config config/jurisdiction",
	  .related = "verify",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_check_config },
	{ .name = "verify",
	  .zh = "验库",
	  .phase = PHASE_OPERATE,
	  .flags = VERB_JSON,
	  .usage = "DATABASE [--evidence FOLDER] [--jurisdiction FOLDER] [--heads HEADS]",
	  .options = verify_options,
	  .summary = "prove on a database that every case's events give its row and that the invariants hold",
	  .help = "Reads the whole database without changing it; the daemon may be running. Exit code 1 when something "
	          "is\n"
	          "broken, with the first of each kind. A row of the audit or the ledger that was edited, taken away, "
	          "put "
	          "in or\n"
	          "swapped by hand is named. Against somebody who writes a whole chain anew, give with --heads what a "
	          "backup or\n"
	          "the log (chain-heads, once a day) noted: gridloop verify DB --heads \"audit=12:9f… ledger=3:07…\"",
	  .example = "gridloop verify /var/lib/gridloop/gridloop.db --evidence /var/lib/gridloop/evidence",
	  .related = "check-config, backup, doctor, ask-verify",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_verify },
	{ 0 },
};
