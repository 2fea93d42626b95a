/* tables: fills the tables of the programs into a manual page, so that a page cannot say anything else than the program
 * does. Copies mdoc from standard input; a line `.\" table NAME` becomes that table, and @VERSION@ the version. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../cli/verb.h"
#include "base/settings.h"
#include "base/version.h"
#include "jurisdiction/config.h"
#include "jurisdiction/policy.h"

#define LINE_MOST 79 /* bytes of one line of the output, where words allow it */
#define MARK ".\\\" table "
#define VERSION_MARK "@VERSION@"

/* ---- text as mdoc ---- */

/* A hyphen that is typed is no hyphen of a word; a backslash is one. */
static void put_literal(const char *text, size_t length, FILE *to)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] == '-')
			fputs("\\-", to);
		else if (text[i] == '\\')
			fputs("\\e", to);
		else
			fputc(text[i], to);
}

static _Bool is_typed(const char *word, size_t length)
{
	return length > 2 && (word[0] == '-' || memchr(word, '_', length) || memchr(word, '/', length));
}

/* Words one after the other, filled into lines; a sentence begins a line, for mdoc spaces it by that. What begins with a
 * dot or a quote would be a macro. */
static void put_prose(const char *text, size_t length, FILE *to)
{
	size_t column = 0;

	for (const char *end = text + length; (text += strspn(text, " ")) < end;) {
		size_t word = strcspn(text, " \n");

		if (column > 0 && (column + word >= LINE_MOST || strchr(".!?", text[-2])))
			column = 0, fputc('\n', to);
		if (column > 0)
			fputc(' ', to);
		if (column == 0 && strchr(".'", *text))
			fputs("\\&", to);
		if (is_typed(text, word))
			put_literal(text, word, to);
		else
			fprintf(to, "%.*s", (int)word, text);
		column += word + 1;
		text += word;
	}
	if (column > 0)
		fputc('\n', to);
}

/* The words behind a macro; short ones could be macros themselves. */
static void put_words(const char *text, FILE *to)
{
	while (*(text += strspn(text, " "))) {
		size_t word = strcspn(text, " ");

		fprintf(to, " %s", word <= 3 ? "\\&" : "");
		/* A list of words may be longer than a line. */
		for (size_t part; word > 0; text += part, word -= part) {
			part = strcspn(text, "| ") + (text[strcspn(text, "| ")] == '|');
			part = part < word ? part : word;
			put_literal(text, part, to);
			fputs(part < word ? "\\:" : "", to);
		}
	}
}

static void put_shown(const char *lines, FILE *to)
{
	fputs(".Bd -literal -offset indent\n", to);
	while (*lines) {
		size_t length = strcspn(lines, "\n");

		if (strchr(".'", *lines))
			fputs("\\&", to);
		put_literal(lines, length, to);
		fputc('\n', to);
		lines += length;
		lines += *lines == '\n';
	}
	fputs(".Ed\n", to);
}

/* Lines as the programs print them: an indented one stands as it is, an empty one ends a paragraph. */
static void put_paragraphs(const char *text, FILE *to)
{
	while (*text) {
		size_t length = 0;
		_Bool shown = *text == ' ';

		while (text[length] && (text[length] == ' ') == shown && text[length] != '\n')
			length += strcspn(text + length, "\n") + (strchr(text + length, '\n') != NULL);

		char *part = strndup(text, length);

		must(part);
		for (char *c = part; !shown && *c; c++)
			*c = (char)(*c == '\n' ? ' ' : *c);
		if (shown)
			put_shown(part, to);
		else
			put_prose(part, strlen(part), to);
		free(part);
		text += length;
		if (*text == '\n') {
			fputs(".Pp\n", to);
			text += strspn(text, "\n");
		}
	}
}

/* ---- settings ---- */

static void put_setting(const struct setting *row, FILE *to)
{
	char expected[SETTING_EXPECTED_SIZE], sentence[SETTING_EXPECTED_SIZE + 80];

	fprintf(to, ".It Ic %s No =", row->key);
	put_words(row->fallback, to);
	fputc('\n', to);
	put_paragraphs(row->help, to);
	fputs(".Pp\n", to);
	settings_expected(row, expected, sizeof expected);
	(void)snprintf(sentence, sizeof sentence, "Expected: %s.", expected);
	put_prose(sentence, strlen(sentence), to);
}

static void put_settings(const struct setting *rows, FILE *to)
{
	fputs(".Bl -tag -width Ds\n", to);
	for (; rows->key; rows++)
		put_setting(rows, to);
	fputs(".El\n", to);
}

static void put_config(FILE *to)
{
	put_settings(config_settings(), to);
}

static void put_policy(FILE *to)
{
	put_settings(policy_settings(), to);
}

/* ---- verbs ---- */

static void put_option(const struct option_row *row, FILE *to)
{
	fputs(".It Fl", to);
	put_words(row->name + 1, to);
	if (row->kind != OPTION_FLAG) {
		fputs(" Ar", to);
		put_words(row->value, to);
	}
	fputc('\n', to);
	put_prose(row->help, strlen(row->help), to);
	if (row->required)
		fputs("(needed)\n", to);
	if (row->repeats)
		fputs("(may be repeated)\n", to);
}

static void put_options(const struct option_row *rows, FILE *to)
{
	fputs(".Bl -tag -width Ds\n", to);
	for (; rows->name; rows++)
		put_option(rows, to);
	fputs(".El\n", to);
}

static void put_login(FILE *to)
{
	put_options(login_options, to);
}

/* What the verb has beside those that many have, which the page explains once. */
static void put_own_options(const struct verb *v, FILE *to)
{
	if (v->options && v->options->name)
		put_options(v->options, to);
	if (v->takes == 0)
		return;
	fputs(".Bl -tag -width Ds\n", to);
	for (int i = 0; v->takes >> i; i++)
		if (v->takes >> i & 1)
			put_option(&act_options[i], to);
	fputs(".El\n", to);
}

static void put_verb(const struct verb *v, FILE *to)
{
	fprintf(to, ".It Cm %s", v->name);
	put_words(v->usage, to);
	fprintf(to, "\n%s:\n", v->zh);
	put_prose(v->summary, strlen(v->summary), to);
	if (v->help) {
		fputs(".Pp\n", to);
		put_paragraphs(v->help, to);
	}
	put_own_options(v, to);
	if (v->example)
		put_shown(v->example, to);
}

static void put_verbs(FILE *to)
{
	const struct verb *v;

	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		fprintf(to, ".Ss %s\n.Bl -tag -width Ds\n", phase_titles[phase]);
		for (size_t i = 0; (v = verb_at(i)); i++)
			if ((int)v->phase == phase)
				put_verb(v, to);
		fputs(".El\n", to);
	}
}

/* ---- a page ---- */

static const struct {
	const char *name;
	void (*put)(FILE *to);
} tables[] = {
	{ "config", put_config },
	{ "policy", put_policy },
	{ "login", put_login },
	{ "verbs", put_verbs },
};

static _Bool put_table(const char *name, FILE *to)
{
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		if (strcmp(tables[i].name, name) == 0) {
			tables[i].put(to);
			return 1;
		}
	fprintf(stderr, "tables: there is no table \"%s\"\n", name);
	return 0;
}

static _Bool put_line(char *line, FILE *to)
{
	char *version = strstr(line, VERSION_MARK);

	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, MARK, strlen(MARK)) == 0)
		return put_table(line + strlen(MARK), to);
	if (version)
		fprintf(to, "%.*s" GRIDLOOP_VERSION "%s\n", (int)(version - line), line,
		        version + strlen(VERSION_MARK));
	else
		fprintf(to, "%s\n", line);
	return 1;
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	_Bool good = 1;

	while (good && getline(&line, &size, stdin) >= 0)
		good = put_line(line, stdout);
	free(line);
	return good && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
