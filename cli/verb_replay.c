/* replay: a city's own history through a running daemon. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "login.h"
#include "progress.h"
#include "replay_map.h"
#include "replay_prepare.h"
#include "replay_run.h"
#include "show.h"
#include "store/verify.h"
#include "verb.h"

#define DEPTH_DEFAULT 256

static const struct option_row replay_options_rows[] = {
	{ "--prepare", OPTION_TEXT, "DIR", "only write the jurisdiction that fits the file into DIR", 0, 0 },
	{ "--map", OPTION_TEXT, "FILE.geojson",
	  "with --prepare: the city's map; each feature with a \"name\" becomes a grid", 0, 0 },
	{ "--apart", OPTION_FLAG, NULL, "with --prepare: each report a case of its own, none joins another by itself",
	  0, 0 },
	{ "--tz", OPTION_TEXT, "TZ", "time zone of the city, such as America/New_York", 0, 0 },
	{ "--server", OPTION_TEXT, "HOST:PORT", "the daemon (GRIDLOOP_SERVER; " LOGIN_SERVER_DEFAULT ")", 0, 0 },
	{ "--door", OPTION_WORD, "tcp|redis", "how reports come in; tcp", 0, 0 },
	{ "--redis", OPTION_TEXT, "ADDRESS",
	  "the Redis that the daemon reads, host:port or unix:/path, for --door redis", 0, 0 },
	{ "--depth", OPTION_INT, "N", "commands on their way at once, 1 to 4096; 256", 0, 0 },
	{ "--window", OPTION_SPAN, "SPAN", "how long after the first case was handled the checker comes; 60m", 0, 0 },
	{ "--database", OPTION_TEXT, "FILE", "verify this database at the end", 0, 0 },
	{ 0 },
};

static void show_bar(void *ctx, int64_t done, int64_t all)
{
	progress_show(ctx, done, all);
}

static _Bool read_file(const char *path, struct replay_file *f)
{
	struct progress bar;
	struct trouble why;

	progress_init(&bar, "reading");

	_Bool good = replay_file_read(path, show_bar, &bar, f, &why);

	progress_end(&bar);
	if (!good)
		trouble_print(&why, 0);
	else if (f->broken)
		fprintf(stderr, "gridloop: %zu rows are left out; the first: %s\n", f->broken, f->first_broken);
	return good;
}

static void print_map(const struct replay_map *m)
{
	printf("  %zu grids from the map; %zu outlines crossed themselves and were mended; %zu overlaps (%.0f m2: the "
	       "smaller grid holds), %zu gaps\n",
	       m->grids, m->mended, m->overlaps, m->overlap_m2, m->gaps);
}

/* With a map, what lies on a position that stands for "unknown" is to be located; without, nothing could tell. */
static enum exit_code prepare(const struct replay_file *f, const char *folder, const char *map)
{
	struct replay_map made = { 0 };
	struct trouble why;

	if (!replay_prepare(f, folder, &why) ||
	    (map && (!replay_prepare_points(f, folder, &why) ||
	             !replay_map_write(map, folder, REPLAY_COMMUNITY, &made, &why)))) {
		trouble_print(&why, 0);
		return why.exit;
	}
	printf("%s: %zu rows, %zu of them closed, %zu with a place; %zu categories\n", folder, f->count, f->closed,
	       f->placed, f->kind_count);
	if (map)
		print_map(&made);
	puts("  next: start gridloopd with this jurisdiction and clock = replay, then gridloop replay FILE");
	return EXIT_OK;
}

static const char *verdict(const char *database)
{
	struct verify_report report;
	char *cause = NULL;
	const char *word = "not looked at";

	if (!database)
		return word;
	if (!verify_database(database, NULL, NULL, &report, &cause)) {
		fprintf(stderr, "gridloop: %s\n", cause ? cause : database);
		free(cause);
		return "unreadable";
	}
	for (int i = 0; i < report.count; i++)
		if (report.checks[i].broken)
			fprintf(stderr, "gridloop: broken: %s: %" PRId64 " of %" PRId64 "; %s\n", report.checks[i].name,
			        report.checks[i].broken, report.checks[i].looked_at, report.checks[i].first);
	return verify_holds(&report) ? "ok" : "broken";
}

/* The last line is for scripts. */
static void print_result(const struct replay_result *r, const char *door, const char *invariants)
{
	const struct replay_tally *t = &r->tally;
	double seconds = (double)t->took_ms / 1000;
	struct json j;

	printf("%" PRId64 " commands in %.1f s (%.0f a second), %" PRId64 " rounds of the checker, %" PRId64
	       " sent again\n",
	       t->commands, seconds, seconds > 0 ? (double)t->commands / seconds : 0, t->windows, t->resent);
	if (t->first_refusal[0])
		printf("refused: %" PRId64 "; the first: %s\n", t->refused, t->first_refusal);
	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_int(&j, "received", r->received);
	json_int(&j, "archived", r->archived);
	json_int(&j, "open", r->open);
	json_int(&j, "located", r->located);
	json_int(&j, "outside", r->outside);
	json_int(&j, "to_be_located", r->to_be_located);
	json_int(&j, "merged", r->merged);
	json_int(&j, "refused", t->refused);
	json_text(&j, "invariants", invariants);
	json_int(&j, "closed", r->closed);
	json_text(&j, "door", door);
	json_int(&j, "commands", t->commands);
	json_int(&j, "known_before", t->again);
	json_int(&j, "skipped", t->skipped);
	json_real(&j, "seconds", seconds);
	json_int(&j, "commands_per_second", seconds > 0 ? (int64_t)((double)t->commands / seconds) : 0);
	json_close(&j, '}');
	putchar('\n');
}

static enum exit_code play(const struct call *call, struct replay_file *f)
{
	const struct options *o = &call->options;
	const char *server = options_text(o, "--server"), *environment = getenv("GRIDLOOP_SERVER");
	_Bool redis = options_word(o, "--door") == 1;
	struct replay_options how = { .depth = (int)options_int(o, "--depth", DEPTH_DEFAULT),
		                      .window_ms = options_span(o, "--window", REPLAY_WINDOW_MS) };
	struct replay_result result;
	struct trouble why = { 0 };
	struct progress bar;

	how.server = server ? server : environment && environment[0] ? environment : LOGIN_SERVER_DEFAULT;
	how.redis = redis ? options_text(o, "--redis") : NULL;
	progress_init(&bar, "replaying");

	_Bool good = replay_run(f, &how, show_bar, &bar, &result, &why);

	progress_end(&bar);
	if (!good) {
		trouble_print(&why, 0);
		return why.exit;
	}

	const char *invariants = verdict(options_text(o, "--database"));

	print_result(&result, redis ? "redis" : "tcp", invariants);
	return strcmp(invariants, "broken") == 0 || strcmp(invariants, "unreadable") == 0 ? EXIT_REFUSED : EXIT_OK;
}

static enum exit_code run_replay(struct call *call)
{
	const struct options *o = &call->options;
	const char *folder = options_text(o, "--prepare"), *tz = options_text(o, "--tz");
	int64_t depth = options_int(o, "--depth", DEPTH_DEFAULT);
	struct replay_file file;

	if (depth < 1 || depth > LANE_DEPTH_MOST)
		return call_usage(call, "--depth is 1 to %d", LANE_DEPTH_MOST);
	if (options_text(o, "--map") && !folder)
		return call_usage(call, "--map is read together with --prepare DIR");
	if (options_word(o, "--door") == 1 && !folder && !options_text(o, "--redis"))
		return call_usage(call, "--door redis needs --redis ADDRESS");
	/* Times without an offset are the city's own. */
	if (tz) {
		setenv("TZ", tz, 1);
		tzset();
	}
	if (!read_file(o->words[0], &file))
		return EXIT_USAGE;

	file.apart = options_flag(o, "--apart");

	enum exit_code code = folder ? prepare(&file, folder, options_text(o, "--map")) : play(call, &file);

	replay_file_close(&file);
	return code;
}

const struct verb replay_verbs[] = {
	{ .name = "replay",
	  .zh = "重放",
	  .phase = PHASE_OPERATE,
	  .usage = "[--prepare DIR] [options] FILE.csv[.gz]",
	  .summary = "play a city's 311 file through a running daemon",
	  .help = "In two steps. --prepare DIR writes a jurisdiction that fits the file: one grid over all its "
	          "positions (with --map the city's own), a\n"
	          "category for each kind of request with the median of the city's own limits, and who plays which "
	          "part.\n"
	          "With a daemon on that jurisdiction and clock = replay, the second run sends every report at its "
	          "moment; at\n"
	          "closed_at the city signs and says handled, and a checker's next round passes it.\n"
	          "Each command's key comes from the file's id: playing a file twice adds nothing, and after a crash "
	          "it goes\n"
	          "on. At the end every timer runs out; the last line is JSON with the counts.\n"
	          "Columns: id, created_at, closed_at, due_at, category, subcategory, source, lat, lon, address, "
	          "description.",
	  .options = replay_options_rows,
	  .example = "gridloop replay --prepare /tmp/boston --map neighborhoods.geojson --tz America/New_York "
	             "requests.csv.gz\n"
	             "gridloop replay --tz America/New_York --database /tmp/boston.db requests.csv.gz",
	  .related = "stats, verify, clock settle",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_replay },
	{ 0 },
};
