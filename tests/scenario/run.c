/* run: drives the pure workflow by the scripts in tests/scenario, or by those named, and proves that together they
 * exercise every row of the transition table, every timer and every rule. README.md describes the language. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "world.h"

#define SCRIPTS "tests/scenario/*.scn"

struct tally {
	int passed, failed;
};

static void step(struct world *w)
{
	struct script *s = w->script;

	if (script_takes(s, "=>")) {
		act_outcome(w);
		return;
	}
	act_settle(w);
	if (script_takes(s, "rule")) {
		const char *key = script_word(s, "a key");

		if (!script_takes(s, "="))
			script_fail(s, "expected = and a value");
		world_rule(w, key, script_word(s, "a value"));
	} else if (script_takes(s, "also")) {
		const char *file = script_word(s, "a file");

		world_append(w, file, script_word(s, "a row in quotes"));
	} else if (script_takes(s, "column")) {
		const char *file = script_word(s, "a file");

		world_column(w, file, script_word(s, "a name"));
	} else if (script_takes(s, "without")) {
		const char *file = script_word(s, "a file");

		world_without(w, file, script_word(s, "a text in quotes"));
	} else if (script_takes(s, "reload")) {
		world_reload(w, script_takes(s, "refused") ? script_word(s, "a text in quotes") : NULL);
	} else if (script_takes(s, "sample")) {
		if (!script_takes(s, "hours"))
			script_fail(s, "expected \"sample hours\"");
		world_hours(w);
	} else if (script_takes(s, "at")) {
		world_advance(w, script_time(s, w->now_ms));
	} else if (script_takes(s, "wait")) {
		world_advance(w, w->now_ms + script_span(s));
	} else if (script_takes(s, "expect")) {
		expect_step(w);
	} else {
		act_step(w);
	}
}

static void finish(struct world *w, const char *name, struct tally *sum)
{
	if (!w->script->failed)
		act_settle(w);
	for (size_t i = 0; i < w->case_count && !w->script->failed; i++)
		invariants_of_case(w, &w->cases[i]);
	invariants_of_all(w);

	_Bool failed = w->script->failed;

	printf("%s %s: %s\n", failed ? "FAIL" : "ok  ", strrchr(w->script->path, '/') + 1, name);
	sum->failed += failed;
	sum->passed += !failed;
	world_close(w);
}

/* A file is a row of scenarios, each beginning with its name and an empty street. */
static void run_file(const char *path, struct cover *cover, const struct policy **usual, struct tally *sum)
{
	struct script s = { .path = path, .file = fopen(path, "r") };
	struct world w = { 0 };
	char name[SCRIPT_LINE_MOST] = "";

	must(s.file != NULL);
	while (script_next(&s)) {
		if (!script_takes(&s, "scenario")) {
			if (name[0] == '\0')
				script_fail(&s, "expected \"scenario\" and a name");
			else if (!s.failed)
				step(&w);
			if (!s.failed && name[0] != '\0')
				invariants_of_all(&w);
			continue;
		}
		if (name[0] != '\0')
			finish(&w, name, sum);
		snprintf(name, sizeof name, "%s", script_word(&s, "a name in quotes"));
		s.failed = 0;
		world_open(&w, &s, cover, usual);
	}
	if (name[0] != '\0')
		finish(&w, name, sum);
	else
		sum->failed++;
	must(fclose(s.file) == 0);
}

/* stops: after the first file in which something failed. */
static void run_all(struct cover *cover, const struct policy **usual, _Bool stops, struct tally *sum)
{
	glob_t found;
	int checks;

	must(glob(SCRIPTS, 0, NULL, &found) == 0);
	for (size_t i = 0; i < found.gl_pathc && !(stops && sum->failed > 0); i++)
		run_file(found.gl_pathv[i], cover, usual, sum);
	globfree(&found);

	int lacks = cover_complain(cover, &checks);

	printf("%s coverage: %d of %d rows, timers and rules exercised\n", lacks ? "FAIL" : "ok  ", checks - lacks,
	       checks);
	sum->failed += lacks > 0;
	sum->passed += lacks == 0;
}

int main(int argc, char **argv)
{
	static struct cover cover;
	const struct policy *usual = NULL;
	struct tally sum = { 0 };
	_Bool table = argc == 2 && strcmp(argv[1], "--table") == 0;
	_Bool stops = argc == 2 && strcmp(argv[1], "--stop") == 0;

	must(setenv("TZ", "Asia/Shanghai", 1) == 0);
	tzset();
	if (argc == 1 || table || stops)
		run_all(&cover, &usual, stops, &sum);
	else
		for (int i = 1; i < argc; i++)
			run_file(argv[i], &cover, &usual, &sum);
	policy_release(usual);
	if (table)
		cover_print(&cover);
	printf("%d passed, %d failed, 0 skipped\n", sum.passed, sum.failed);
	return sum.failed == 0 && sum.passed > 0 ? 0 : 1;
}
