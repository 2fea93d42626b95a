/* gridloop: the command line of the closed loop. What it can do is in the tables that registry.c lists; this file finds
 * the verb, reads its options and runs it. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "verb.h"

static size_t terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

static void look_around(struct call *call)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	call->json = options_flag(&call->options, "--json");
	call->csv = options_flag(&call->options, "--csv");
	call->tty = isatty(STDOUT_FILENO);
	call->width = call->tty ? terminal_width() : 0;
	call->color = call->tty && !options_flag(&call->options, "--no-color") && !(no_color && no_color[0]) &&
	              !(term && strcmp(term, "dumb") == 0);
}

static enum exit_code unknown_verb(const char *typed)
{
	const struct verb *near = verb_nearest(typed);

	fprintf(stderr, "gridloop: there is no verb \"%.60s\"", typed);
	if (near)
		fprintf(stderr, "; did you mean \"%s\" (%s)?", near->name, near->zh);
	fprintf(stderr, "\n  next: gridloop help\n");
	return EXIT_USAGE;
}

static enum exit_code check_words(const struct call *call, const struct option_set *set)
{
	const struct verb *v = call->verb;
	const struct option_row *missing = options_missing(set, &call->options);

	if (call->options.word_count < v->least_words)
		return call_usage(call, "something is missing");
	if (v->most_words >= 0 && call->options.word_count > v->most_words)
		return call_usage(call, "\"%.60s\" is one word too many", call->options.words[v->most_words]);
	if (missing)
		return call_usage(call, "%s %s is needed", missing->name,
		                  missing->kind == OPTION_FLAG ? "" : missing->value);
	return EXIT_OK;
}

static enum exit_code run(const struct verb *v, int argc, char **argv)
{
	struct call call = { .verb = v };
	struct option_set set = { 0 };
	char why[OPTION_WHY_SIZE];
	enum exit_code code;

	verb_options(v, &set);
	if (!options_parse(&set, argc, argv, &call.options, why))
		return call_usage(&call, "%s", why);
	if (options_flag(&call.options, "--help")) {
		help_verb(v, stdout);
		return EXIT_OK;
	}
	look_around(&call);
	code = check_words(&call, &set);
	if (code == EXIT_OK)
		code = v->run(&call);
	client_close(call.client);
	for (size_t i = 0; i < sizeof call.login_texts / sizeof call.login_texts[0]; i++)
		free(call.login_texts[i]);
	return code;
}

int main(int argc, char **argv)
{
	int used;

	setlocale(LC_CTYPE, "C.UTF-8");
	tzset();
	if (argc < 2 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
		help_overview(stdout);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0)
		argv[1] += 2;

	const struct verb *v = verb_find(argc - 1, argv + 1, &used);
	enum exit_code code = v ? run(v, argc - 1 - used, argv + 1 + used) : unknown_verb(argv[1]);

	/* A full disk or a closed pipe must not look like success. */
	if (fflush(stdout) != 0 && code == EXIT_OK)
		code = EXIT_REFUSED;
	return code;
}
