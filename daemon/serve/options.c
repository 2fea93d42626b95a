#include "serve/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/version.h"
#include "net/tls.h"

#define CONFIG_PATH "/etc/gridloop/gridloop.conf"

/* What the command line asked for, before anything is read. */
struct wishes {
	const char *config_path;
	const char *assignments[OPTIONS_ASSIGNMENTS_MOST];
	size_t count;
	_Bool check, print, help, version, wrong;
};

struct option_row {
	char letter;
	const char *name, *argument; /* NULL: takes none */
	const char *help;
	void (*take)(struct wishes *w, const char *argument);
};

static void take_config(struct wishes *w, const char *argument)
{
	w->config_path = argument;
}

static void take_set(struct wishes *w, const char *argument)
{
	if (w->count < OPTIONS_ASSIGNMENTS_MOST) {
		w->assignments[w->count++] = argument;
		return;
	}
	fprintf(stderr, "gridloopd: --set can be given %d times\n", OPTIONS_ASSIGNMENTS_MOST);
	w->wrong = 1;
}

static void take_check(struct wishes *w, const char *argument)
{
	(void)argument;
	w->check = 1;
}

static void take_print(struct wishes *w, const char *argument)
{
	(void)argument;
	w->print = 1;
}

static void take_help(struct wishes *w, const char *argument)
{
	(void)argument;
	w->help = 1;
}

static void take_version(struct wishes *w, const char *argument)
{
	(void)argument;
	w->version = 1;
}

static const struct option_row rows[] = {
	{ 'c', "config", "FILE", "read this configuration instead of " CONFIG_PATH, take_config },
	{ 's', "set", "KEY=VALUE", "change one key of it; may be given several times", take_set },
	{ 'n', "check", NULL, "check configuration and jurisdiction, tell every mistake, and end", take_check },
	{ 'p', "print-config", NULL, "print the configuration as it would be in force, with help, and end",
	  take_print },
	{ 'h', "help", NULL, "print this and end", take_help },
	{ 'V', "version", NULL, "print the version and end", take_version },
};
#define ROWS (sizeof rows / sizeof *rows)

/* ---- reading ---- */

static void build_getopt(char *letters, struct option *names)
{
	for (size_t i = 0; i < ROWS; i++) {
		*letters++ = rows[i].letter;
		if (rows[i].argument)
			*letters++ = ':';
		names[i] = (struct option){ rows[i].name, rows[i].argument ? required_argument : no_argument, NULL,
			                    rows[i].letter };
	}
	*letters = '\0';
	names[ROWS] = (struct option){ 0 };
}

static void take_one(struct wishes *w, int letter)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].letter == letter) {
			rows[i].take(w, optarg);
			return;
		}
	w->wrong = 1;
}

static void read_command_line(struct wishes *w, int argc, char **argv)
{
	char letters[2 * ROWS + 1];
	struct option names[ROWS + 1];
	int letter;

	build_getopt(letters, names);
	while ((letter = getopt_long(argc, argv, letters, names, NULL)) != -1)
		take_one(w, letter);
	if (optind == argc)
		return;
	fprintf(stderr, "gridloopd: \"%s\" is no option\n", argv[optind]);
	w->wrong = 1;
}

/* ---- answering ---- */

static void print_help(FILE *to)
{
	fprintf(to,
	        "gridloopd: carries a street's reports from discovery to reward.\n\nusage: gridloopd [options]\n\n");
	for (size_t i = 0; i < ROWS; i++) {
		char name[48];

		(void)snprintf(name, sizeof name, "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
		               rows[i].argument ? rows[i].argument : "");
		fprintf(to, "  -%c, %-18s %s\n", rows[i].letter, name, rows[i].help);
	}
	fprintf(to,
	        "\nexit status: 0 ended as asked, %d wrong use, %d could not start, %d configuration or database is "
	        "wrong,\n"
	        "75 the disk failed or is full, or a commit's fate is unknown (start again: nothing acknowledged is "
	        "lost).\n",
	        EXIT_WRONG_USE, EXIT_NO_START, EXIT_WRONG_CONFIG);
}

/* The file by custom may be missing as long as nobody named it: the defaults hold then. */
static const char *path_of(const struct wishes *w)
{
	if (w->config_path)
		return w->config_path;
	FILE *there = fopen(CONFIG_PATH, "re");

	if (!there)
		return NULL;
	(void)fclose(there);
	return CONFIG_PATH;
}

/* Dates in the jurisdiction's files are local ones, so this comes before them, and before any thread. */
static void enter_time_zone(const char *name)
{
	must(setenv("TZ", name, 1) == 0);
	errno = 0;
	tzset();
	/* It has no result: without memory it takes UTC for the zone, and every deadline would be hours off. */
	must(errno != ENOMEM);
}

_Bool options_load_tls(const struct config *c, struct tls_server **tls, struct problems *p)
{
	const struct tls_files files = { c->tls_certificate, c->tls_key, c->tls_client_ca };
	struct clock clock = clock_system();

	*tls = NULL;
	if (!*c->listen_tls)
		return 1;
	/* A replayed day makes no certificate younger. */
	*tls = tls_server_new(&files, clock.wall_ms(clock.ctx), p);
	return *tls != NULL;
}

struct crowd_limits options_crowd(const struct config *c)
{
	return (struct crowd_limits){ .connections_most = c->connections_per_address_max,
		                      .strangers_most = c->handshakes_per_address_max,
		                      .per_second_most = c->handshakes_per_second_max };
}

struct login_limits_options options_login_limits(const struct config *c)
{
	return (struct login_limits_options){ .pair_most = c->login_failures,
		                              .address_most = c->login_failures_address,
		                              .lock_ms = c->login_lock_ms };
}

static _Bool load(struct options *o, const struct wishes *w)
{
	struct problems problems = { 0 };
	_Bool good;

	o->path = path_of(w);
	memcpy(o->assignments, w->assignments, sizeof o->assignments);
	o->assignment_count = w->count;
	good = config_load(&o->config, o->path, o->assignments, o->assignment_count, &problems);
	if (good) {
		enter_time_zone(o->config.time_zone);
		o->policy = policy_load(o->config.jurisdiction, &problems);
		good = o->policy && config_fits(&o->config, o->policy, &problems);
		good &= options_load_tls(&o->config, &o->tls, &problems);
	}
	good = good && config_read_secrets(&o->config, &problems);
	/* A replayed clock begins at a day that nobody knows yet. */
	if (good && o->config.clock == CONFIG_CLOCK_SYSTEM)
		policy_warn(o->policy, clock_system().wall_ms(NULL), &problems);
	problems_print(&problems, stderr);
	problems_close(&problems);
	if (!good)
		options_close(o);
	return good;
}

static _Bool print_config(const struct wishes *w)
{
	struct problems problems = { 0 };
	struct config config;
	_Bool good = config_load(&config, path_of(w), w->assignments, w->count, &problems);

	problems_print(&problems, stderr);
	problems_close(&problems);
	if (!good)
		return 0;
	settings_print(config_settings(), &config, stdout);
	config_close(&config);
	return 1;
}

/* What ends without a configuration; false: it goes on. */
static _Bool is_said(const struct wishes *w, int *status)
{
	*status = w->wrong ? EXIT_WRONG_USE : EXIT_SUCCESS;
	if (w->wrong)
		fprintf(stderr, "gridloopd: see gridloopd --help\n");
	else if (w->help)
		print_help(stdout);
	else if (w->version)
		printf("gridloopd " GRIDLOOP_VERSION "\n");
	else if (w->print)
		*status = print_config(w) ? EXIT_SUCCESS : EXIT_WRONG_CONFIG;
	else
		return 0;
	return 1;
}

_Bool options_read(struct options *o, int argc, char **argv, int *status)
{
	struct wishes w = { 0 };

	*o = (struct options){ 0 };
	read_command_line(&w, argc, argv);
	if (is_said(&w, status))
		return 0;
	if (!load(o, &w)) {
		*status = EXIT_WRONG_CONFIG;
		return 0;
	}
	if (!w.check)
		return 1;
	printf("configuration and jurisdiction are in order\n");
	options_close(o);
	return 0;
}

void options_close(struct options *o)
{
	policy_release(o->policy);
	o->policy = NULL;
	tls_server_release(o->tls);
	o->tls = NULL;
	config_close(&o->config);
}
