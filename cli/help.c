/* help, version: what there is, how to begin, what to do next. */
#include <string.h>

#include "base/text.h"
#include "base/version.h"
#include "verb.h"

/* The name and its Chinese word, padded to the same width. */
static void print_name(const struct verb *v, FILE *to)
{
	char name[80];
	size_t columns;

	snprintf(name, sizeof name, "%s %s", v->name, v->zh);
	columns = text_columns(name);
	fprintf(to, "  %s%*s", name, columns < 28 ? (int)(28 - columns) : 1, "");
}

void help_overview(FILE *to)
{
	const struct verb *v;

	fputs("gridloop: report what is wrong in a street, see it handled, checked and answered.\n"
	      "\n"
	      "First, to see that the daemon is there and who you are:\n"
	      "  gridloop ping --as ID --token TOKEN        (keep them in ~/.config/gridloop/login, mode 0600)\n"
	      "Then report something, and follow it:\n"
	      "  gridloop report E0110 --at 34.3412,108.9471 \"rubbish beside the bins\"\n"
	      "  gridloop case show NUMBER\n",
	      to);
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		fprintf(to, "\n%s\n", phase_titles[phase]);
		for (size_t i = 0; (v = verb_at(i)); i++) {
			if ((int)v->phase != phase)
				continue;
			print_name(v, to);
			fprintf(to, "%s\n", v->summary);
		}
	}
	fputs("\nMore about a verb: gridloop help VERB, or gridloop VERB -h\n"
	      "Exit codes: 0 done, 1 refused or broken, 2 wrong usage, 3 the daemon cannot be reached.\n",
	      to);
}

static void print_lines(const char *title, const char *lines, FILE *to)
{
	if (!lines)
		return;
	fprintf(to, "\n%s\n", title);
	while (*lines) {
		size_t length = strcspn(lines, "\n");

		fprintf(to, "  %.*s\n", (int)length, lines);
		lines += length;
		lines += *lines == '\n';
	}
}

void help_verb(const struct verb *v, FILE *to)
{
	struct option_set set = { 0 };

	fprintf(to, "gridloop %s %s\n\n", v->name, v->usage);
	fprintf(to, "%s: %s (%s)\n", v->zh, v->summary, phase_titles[v->phase]);
	if (v->help)
		fprintf(to, "\n%s\n", v->help);
	fprintf(to, "\nOptions\n");
	verb_options(v, &set);
	options_explain(&set, to);
	print_lines("Example", v->example, to);
	if (v->related)
		fprintf(to, "\nSee also: %s\n", v->related);
}

static enum exit_code run_help(struct call *call)
{
	const struct options *o = &call->options;
	char *words[OPTION_WORDS_MOST];
	int used;

	if (o->word_count == 0) {
		help_overview(stdout);
		return EXIT_OK;
	}
	for (int i = 0; i < o->word_count; i++)
		words[i] = (char *)(uintptr_t)o->words[i];

	const struct verb *v = verb_find(o->word_count, words, &used);

	if (!v) {
		const struct verb *near = verb_nearest(o->words[0]);

		return call_usage(call, "there is no verb \"%.60s\"%s%s", o->words[0], near ? "; did you mean " : "",
		                  near ? near->name : "");
	}
	help_verb(v, stdout);
	return EXIT_OK;
}

static enum exit_code run_version(struct call *call)
{
	if (call->json)
		puts("{\"version\":\"" GRIDLOOP_VERSION "\"}");
	else
		puts("gridloop " GRIDLOOP_VERSION);
	return EXIT_OK;
}

const struct verb help_verbs[] = {
	{ .name = "help",
	  .zh = "帮助",
	  .phase = PHASE_OPERATE,
	  .usage = "[VERB]",
	  .summary = "what there is, or all about one verb",
	  .example = "gridloop help report",
	  .related = "version",
	  .most_words = 2,
	  .run = run_help },
	{ .name = "version",
	  .zh = "版本",
	  .phase = PHASE_OPERATE,
	  .flags = VERB_JSON,
	  .usage = "",
	  .summary = "this program's version",
	  .example = "gridloop version",
	  .related = "ping",
	  .most_words = 0,
	  .run = run_version },
	{ 0 },
};
