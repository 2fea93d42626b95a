/* backup and restore: the database, and the evidence if wanted, into one file or pipe and back. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "care.h"
#include "jurisdiction/config.h"
#include "progress.h"
#include "show.h"
#include "store/backup.h"

#define RATE_DEFAULT 64 /* MiB a second */
#define RATE_MOST 100000
#define NICENESS 10
#define SCRATCH "/var/tmp"

const char *care_config_path(const struct call *call)
{
	const char *given = options_text(&call->options, "--config");

	return given ? given : CARE_CONFIG;
}

/* A closed pipe or a limit on sizes is a sentence and a clean end, not a death that leaves half a file. */
static void settle_in(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
}

static void show_bar(void *ctx, int64_t done, int64_t all)
{
	progress_show(ctx, done, all);
}

/* While it is copied the daemon's log cannot be begun anew, so that is soon over, held back by its rate alone. What comes
 * behind has time: the street goes first. */
static void show_copying(void *ctx, int64_t done, int64_t all)
{
	progress_show(ctx, done, all);
	if (done >= all)
		(void)setpriority(PRIO_PROCESS, 0, NICENESS);
}

static enum exit_code complain(char *cause)
{
	fprintf(stderr, "gridloop: %s\n", cause ? cause : "unknown trouble");
	free(cause);
	return EXIT_REFUSED;
}

/* ---- what is in it ---- */

static void tell(FILE *to, const struct backup_report *r, const char *where, _Bool with_files)
{
	char when[SHOW_SIZE];

	fprintf(to, "%s\n", where);
	fprintf(to, "  %" PRId64 " reports: %" PRId64 " open, %" PRId64 " archived; %" PRId64 " events\n", r->received,
	        r->open, r->archived, r->events);
	fprintf(to, "  newest event %" PRId64 " of %s; schema version %" PRId64 "\n", r->newest_event,
	        show_time(r->newest_ms, when), r->schema);
	if (with_files)
		fprintf(to, "  evidence: %" PRId64 " files, %" PRId64 " bytes\n", r->files, r->file_bytes);
	else if (r->files_named > 0)
		fprintf(to, "  evidence: %" PRId64 " files belong to it and are not in it\n", r->files_named);
	fprintf(to, "  %" PRId64 " bytes, sha256 %s\n", r->bytes, r->digest);
	fprintf(to, "  heads %s\n", r->heads);
	fprintf(to, r->proof.count ? "  proved: everything holds\n" : "  not proved\n");
}

static void tell_json(FILE *to, const struct backup_report *r, const char *where)
{
	struct json j;

	json_init(&j, to);
	json_open(&j, NULL, '{');
	json_text(&j, "file", where);
	json_int(&j, "reports", r->received);
	json_int(&j, "open", r->open);
	json_int(&j, "archived", r->archived);
	json_int(&j, "events", r->events);
	json_int(&j, "newest_event", r->newest_event);
	json_time(&j, "newest_at", r->newest_ms);
	json_int(&j, "schema", r->schema);
	json_int(&j, "evidence_files", r->files);
	json_int(&j, "evidence_bytes", r->file_bytes);
	json_int(&j, "evidence_missing", r->files_missing);
	json_int(&j, "bytes", r->bytes);
	json_text(&j, "sha256", r->digest);
	json_text(&j, "heads", r->heads);
	json_bool(&j, "proved", r->proof.count > 0);
	json_close(&j, '}');
	fputc('\n', to);
}

static enum exit_code tell_all(const struct call *call, FILE *to, const struct backup_report *r, const char *where,
                               _Bool with_files)
{
	if (call->json)
		tell_json(to, r, where);
	else
		tell(to, r, where, with_files);
	if (r->files_missing == 0)
		return EXIT_OK;
	fprintf(stderr,
	        "gridloop: %" PRId64 " files of evidence that cases name are missing or damaged%s%s\n"
	        "  next: look for them in an earlier backup; everything else is in this one\n",
	        r->files_missing, r->first_missing[0] ? ", the first: " : "", r->first_missing);
	return EXIT_REFUSED;
}

/* ---- backup ---- */

/* false: the complaint was printed. */
static _Bool load(const struct call *call, struct config *config)
{
	struct problems problems = { 0 };
	_Bool good = config_load(config, care_config_path(call), NULL, 0, &problems);

	if (!good)
		problems_print(&problems, stderr);
	problems_close(&problems);
	return good;
}

static enum exit_code make(struct call *call, const struct config *config, const char *to)
{
	const char *scratch = getenv("TMPDIR");
	_Bool piped = strcmp(to, "-") == 0, with_files = options_flag(&call->options, "--with-evidence");
	struct progress bar;
	struct backup_report report;
	struct backup_options o = {
		.database = config->database,
		.evidence = with_files ? config->evidence : NULL,
		.to = piped ? NULL : to,
		.fd = STDOUT_FILENO,
		.scratch = scratch && scratch[0] ? scratch : SCRATCH,
		.bytes_a_second = options_int(&call->options, "--rate", RATE_DEFAULT) << 20,
		.unproved = options_flag(&call->options, "--unproved"),
		.progress = show_copying,
		.ctx = &bar,
	};
	char *cause = NULL;

	settle_in();
	progress_init(&bar, "copying");
	_Bool done = backup_make(&o, &report, &cause);

	progress_end(&bar);
	if (!done)
		return complain(cause);
	return tell_all(call, piped ? stderr : stdout, &report, piped ? "a pipe" : to, with_files);
}

static enum exit_code run_backup(struct call *call)
{
	const char *to = call->options.words[0];
	struct config config;
	int64_t rate = options_int(&call->options, "--rate", RATE_DEFAULT);

	if (strcmp(to, "-") == 0 && isatty(STDOUT_FILENO))
		return call_usage(call, "a backup is no text for a terminal; name a file or pipe it into something");
	if (rate < 0 || rate > RATE_MOST)
		return call_usage(call, "--rate must be from 0 to %d MiB a second", RATE_MOST);
	if (!load(call, &config))
		return EXIT_REFUSED;

	enum exit_code code = make(call, &config, to);

	config_close(&config);
	return code;
}

/* ---- restore ---- */

static char *evidence_beside(const char *database)
{
	const char *slash = strrchr(database, '/');
	char *folder = NULL;

	must(asprintf(&folder, "%.*sevidence", slash ? (int)(slash - database) + 1 : 0, database) >= 0);
	return folder;
}

static enum exit_code run_restore(struct call *call)
{
	const char *from = call->options.words[0], *to = call->options.words[1];
	const char *given = options_text(&call->options, "--evidence");
	_Bool piped = strcmp(from, "-") == 0;
	int fd = piped ? STDIN_FILENO : open(from, O_RDONLY | O_CLOEXEC);
	struct backup_report report;
	struct progress bar;
	char *cause = NULL, *beside = evidence_beside(to);
	struct restore_options o = { .fd = fd,
		                     .name = piped ? "what comes by the pipe" : from,
		                     .to = to,
		                     .evidence = given ? given : beside,
		                     .progress = show_bar,
		                     .ctx = &bar };
	_Bool done = 0;

	settle_in();
	progress_init(&bar, "proving");
	if (fd == -1)
		must(asprintf(&cause, "cannot open %s: %s", from, strerror(errno)) >= 0);
	else
		done = restore_run(&o, &report, &cause);
	progress_end(&bar);
	if (fd != -1 && !piped)
		(void)close(fd);

	enum exit_code code = done ? tell_all(call, stdout, &report, to, report.files > 0) : complain(cause);

	free(beside);
	return code;
}

/* ---- the verbs ---- */

static const struct option_row backup_options[] = {
	CARE_CONFIG_ROW,
	{ "--with-evidence", OPTION_FLAG, NULL, "photos and clips too: the backup is then a tar", 0, 0 },
	{ "--rate", OPTION_INT, "MIB", "copy at most so many MiB a second, 0: as fast as it goes; without it 64", 0,
	  0 },
	{ "--unproved", OPTION_FLAG, NULL, "leave out the proof of the copy; restore proves it anyway", 0, 0 },
	{ 0 },
};

static const struct option_row restore_options[] = {
	{ "--evidence", OPTION_TEXT, "FOLDER", "where photos and clips go; without it evidence beside the database", 0,
	  0 },
	{ 0 },
};

const struct verb backup_verbs[] = {
	{ .name = "backup",
	  .zh = "备份",
	  .phase = PHASE_OPERATE,
	  .flags = VERB_JSON,
	  .usage = "[--config FILE] [--with-evidence] FILE|-",
	  .options = backup_options,
	  .summary = "copy the database of a running daemon into a file or a pipe",
	  .help = "Holds one moment of the database: every report acknowledged before it began is in it. The daemon "
	          "goes "
	          "on\n"
	          "meanwhile. The copy is proved as `gridloop verify` does; the file gets its name only when it is "
	          "whole "
	          "and on\n"
	          "disk. Without evidence a backup is a database file; with it a tar. What is in it is printed (for a "
	          "pipe, to\n"
	          "stderr).",
	  .example = "gridloop backup /backup/gridloop-$(date +%F).db\n"
	             "gridloop backup --with-evidence - | ssh vault 'cat > gridloop.tar'",
	  .related = "restore, verify, doctor",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_backup },
	{ .name = "restore",
	  .zh = "恢复",
	  .phase = PHASE_OPERATE,
	  .flags = VERB_JSON,
	  .usage = "BACKUP|- DATABASE",
	  .options = restore_options,
	  .summary = "make a database, and its evidence, of a backup",
	  .help = "Reads the backup, proves all of it, and only then puts it into its place. Writes over nothing: the "
	          "old\n"
	          "database, with its -wal beside it, is moved away first. Refused while a daemon has that database, "
	          "for "
	          "a\n"
	          "backup that is cut or damaged, and for one of a newer program.",
	  .example = "gridloop restore /backup/gridloop-2026-11-22.db /var/lib/gridloop/gridloop.db",
	  .related = "backup, verify, doctor",
	  .least_words = 2,
	  .most_words = 2,
	  .run = run_restore },
	{ 0 },
};
