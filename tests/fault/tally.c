#include "tally.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define SEED 20261128
#define CRASHES_MOST 20 /* then enough is known */
#define TOLD_EVERY_S 60

static double now(void)
{
	struct timespec t;

	must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t number_of(const char *text)
{
	int64_t number;

	if (text_to_int(text, 0, INT64_MAX, &number))
		return (uint64_t)number;
	fprintf(stderr, "\"%s\" is no number\n", text);
	exit(64);
}

void tally_begin(struct tally *t, const char *name, int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },  { "count", required_argument, NULL, 'n' },
		{ "first", required_argument, NULL, 'f' }, { "only", required_argument, NULL, 'o' },
		{ "long", no_argument, NULL, 'l' },        { 0 }
	};
	int option;

	*t = (struct tally){ .name = name, .seed = SEED, .began = now() };
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			t->seed = number_of(optarg);
		else if (option == 'n')
			t->count = number_of(optarg);
		else if (option == 'f')
			t->first = number_of(optarg);
		else if (option == 'o')
			t->part = optarg;
		else if (option == 'l')
			t->is_long = 1;
		else {
			fprintf(stderr, "usage: %s [--seed N] [--count N] [--first N] [--only PART] [--long]\n",
			        argv[0]);
			exit(64);
		}
	}
	printf("%s: seed %llu\n", name, (unsigned long long)t->seed);
	(void)fflush(stdout);
}

_Bool tally_wants(const struct tally *t, const char *part)
{
	return t->part == NULL || strcmp(t->part, part) == 0;
}

/* ---- to be asked to end ----
 *
 * What a long run has counted is worth having when its time is over sooner than it is: SIGTERM and SIGINT wait until a
 * child has done its stretch; then the controls have their turn. */
static sigset_t endings(void)
{
	sigset_t set;

	must(sigemptyset(&set) == 0 && sigaddset(&set, SIGTERM) == 0 && sigaddset(&set, SIGINT) == 0);
	return set;
}

static void put_off_endings(void)
{
	sigset_t set = endings();

	must(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}

/* Once for each time that it is asked. */
static _Bool is_to_end(void)
{
	const struct timespec no_time = { 0 };
	sigset_t set = endings();

	return sigtimedwait(&set, NULL, &no_time) > 0;
}

/* ---- children ---- */

/* Shared with the child, so that what it counted survives it. */
struct board {
	struct tally_counts counts;
	uint64_t at; /* the run under way */
	_Bool enough;
};

static void work(const struct tally_work *w, struct board *b, uint64_t first, uint64_t end)
{
	if (w->prepare)
		w->prepare(w->ctx);
	for (uint64_t i = first; i < end && !b->enough; i++) {
		b->at = i;
		w->run(w->ctx, i, &b->counts);
		b->counts.runs++;
		b->enough = w->enough && w->enough(&b->counts);
	}
	b->at = end;
	if (w->finish)
		w->finish(w->ctx);
}

/* The first run that is not done yet. */
static uint64_t do_stretch(const struct tally_work *w, struct board *b, uint64_t first, uint64_t end)
{
	int status;
	pid_t child;

	b->at = first;
	(void)fflush(NULL);
	child = fork();
	must(child != -1);
	if (child == 0) {
		if (w->quiet)
			must(freopen("/dev/null", "w", stderr) != NULL);
		work(w, b, first, end);
		(void)fflush(NULL);
		_exit(0);
	}
	must(waitpid(child, &status, 0) == child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return end;
	b->counts.crashes++;
	b->enough |= b->counts.crashes >= CRASHES_MOST;
	if (!w->quiet)
		printf("run %llu crashed: %s %d\n", (unsigned long long)b->at, WIFSIGNALED(status) ? "signal" : "exit",
		       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return b->at + 1;
}

static void add_up(struct tally_counts *sum, const struct tally_counts *more)
{
	sum->runs += more->runs;
	sum->acknowledged += more->acknowledged;
	sum->lost += more->lost;
	sum->doubled += more->doubled;
	sum->integrity_errors += more->integrity_errors;
	sum->crashes += more->crashes;
}

static void tell(const struct tally_counts *c, uint64_t at, uint64_t end)
{
	printf("so far to run %llu of %llu: %llu acknowledged, %llu lost, %llu doubled, %llu integrity errors, %llu "
	       "crashes\n",
	       (unsigned long long)at, (unsigned long long)end, (unsigned long long)c->acknowledged,
	       (unsigned long long)c->lost, (unsigned long long)c->doubled, (unsigned long long)c->integrity_errors,
	       (unsigned long long)c->crashes);
	(void)fflush(stdout);
}

void tally_run(const struct tally_work *w, uint64_t first, uint64_t count, struct tally_counts *sum)
{
	double told = now();
	struct board *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(b != MAP_FAILED);
	put_off_endings();
	for (uint64_t at = first; at < first + count && !b->enough;) {
		uint64_t end = at + w->stretch < first + count ? at + w->stretch : first + count;

		at = do_stretch(w, b, at, end);
		if (!w->quiet && now() - told >= TOLD_EVERY_S) {
			tell(&b->counts, at, first + count);
			told = now();
		}
		if (is_to_end()) {
			printf("ended at run %llu, as it was asked to\n", (unsigned long long)at);
			break;
		}
	}
	add_up(sum, &b->counts);
	must(munmap(b, sizeof *b) == 0);
}

/* ---- the end ---- */

uint64_t tally_found(const struct tally_counts *c)
{
	return c->lost + c->doubled + c->integrity_errors;
}

_Bool tally_has_found(const struct tally_counts *c)
{
	return tally_found(c) > 0;
}

void tally_control(struct tally *t, const char *name, uint64_t found)
{
	must(t->control_count < TALLY_CONTROLS_MOST);
	t->controls[t->control_count].name = name;
	t->controls[t->control_count++].found = found;
	printf("control %s: %s (%llu)\n", name, found ? "failed, as it must" : "PASSED: this harness is blind",
	       (unsigned long long)found);
}

int tally_end(struct tally *t)
{
	const struct tally_counts *c = &t->counts;
	_Bool blind = 0;

	printf("{\"harness\":\"%s\",\"seed\":%llu,\"runs\":%llu,\"acknowledged\":%llu,\"lost\":%llu,\"doubled\":%llu,"
	       "\"integrity_errors\":%llu,\"crashes\":%llu,\"controls\":[",
	       t->name, (unsigned long long)t->seed, (unsigned long long)c->runs, (unsigned long long)c->acknowledged,
	       (unsigned long long)c->lost, (unsigned long long)c->doubled, (unsigned long long)c->integrity_errors,
	       (unsigned long long)c->crashes);
	for (int i = 0; i < t->control_count; i++) {
		blind |= t->controls[i].found == 0;
		printf("%s{\"name\":\"%s\",\"failed_as_it_must\":%s,\"found\":%llu}", i ? "," : "", t->controls[i].name,
		       t->controls[i].found ? "true" : "false", (unsigned long long)t->controls[i].found);
	}
	printf("],\"seconds\":%.1f}\n", now() - t->began);
	return tally_has_found(c) || c->crashes > 0 || blind || c->runs == 0;
}
