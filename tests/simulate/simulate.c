/* simulate: lives of a street, a year from each seed, with power cuts, kills, full disks, lost messages and people who err; and
 * shorter ones with a fault built in, which must be found. The same seed gives the same trace. Every life is a process of
 * its own, so that one that aborts is one finding. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../fault/disk.h"
#include "../scenario/world.h"
#include "base/clock.h"
#include "base/log.h"
#include "sim_parts.h"

#define CONTROL_DAYS 60
#define REPEAT_DAYS 20
#define LIFE_SECONDS_MOST 1800 /* a life that takes longer hangs */

struct options {
	uint64_t seed;
	int seeds, days, reports;
	_Bool controls;
};

/* ---- the town ---- */

static const struct policy *town(void (*change)(struct world *w))
{
	static struct cover cover;
	struct script script = { .path = "simulate" };
	struct problems p = { 0 };
	struct world w;

	world_open(&w, &script, &cover, NULL);
	world_rule(&w, "map_may_overlap", "yes");
	if (change)
		change(&w);

	const struct policy *policy = policy_load(w.folder, &p);

	problems_print(&p, stderr);
	problems_close(&p);
	must(policy != NULL && !script.failed);
	world_close(&w);
	return policy;
}

static void re_cut(struct world *w)
{
	world_append(w, "grids.csv", "610404004001009,新网格,610404004001,2026-01-01,");
	world_append(w, "grids.geojson",
	             "610404004001009 108.6905,34.3345 108.6925,34.3345 108.6925,34.3352 108.6905,34.3352");
}

static void without_an_estate(struct world *w)
{
	world_without(w, "units.csv", "property-01,");
	world_without(w, "contracts.csv", ",property-01,");
	world_without(w, "people.csv", ",property-01,");
	world_rule(w, "auto_dispatch", "no");
}

static void without_a_worker(struct world *w)
{
	re_cut(w);
	world_without(w, "people.csv", "worker-02,");
	world_without(w, "posts.csv", ",worker-02,");
	world_append(w, "calendar.csv", "2026-05-20,holiday,停工");
	world_rule(w, "sign", "2wh");
}

/* ---- a life in a process of its own ---- */

static void child(struct tally *tally, const struct options *o, uint64_t seed, int days, enum planted planted,
                  const struct policy *const *policies)
{
	static struct sim life;

	sim = &life;
	life.tally = tally;
	life.reports_a_day = o->reports;
	life.fault_operations = 40000;
	memcpy(life.policies, policies, sizeof life.policies);
	snprintf(life.path, sizeof life.path, "%s/gridloop-simulate-%d.db",
	         getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	alarm(LIFE_SECONDS_MOST);
	disk_install();
	plant(planted);
	life_live(seed, days);
	fflush(stdout);
	_exit(0);
}

static void remove_lock(pid_t pid)
{
	char lock[200];

	snprintf(lock, sizeof lock, "%s/gridloop-simulate-%d.db.lock", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
	         (int)pid);
	(void)unlink(lock);
}

/* false: it did not come to its end. */
static _Bool live_apart(struct tally *tally, const struct options *o, uint64_t seed, int days, enum planted planted,
                        const struct policy *const *policies)
{
	int status = 0;
	pid_t pid;

	memset(tally, 0, sizeof *tally);
	fflush(stdout);
	pid = fork();
	must(pid >= 0);
	if (pid == 0)
		child(tally, o, seed, days, planted, policies);
	must(waitpid(pid, &status, 0) == pid);
	remove_lock(pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- sums ---- */

static void add(struct tally *sum, const struct tally *one)
{
	const int64_t *from = &one->commands;
	int64_t *to = &sum->commands;

	for (size_t i = 0; i < offsetof(struct tally, trace) / sizeof(int64_t); i++)
		to[i] += from[i];
	sum->trace = sum->trace * 31 + one->trace;
	if (sum->first[0] == '\0')
		memcpy(sum->first, one->first, sizeof sum->first);
}

static double seconds(void)
{
	struct clock k = clock_system();

	return (double)k.mono_ms(k.ctx) / 1000;
}

static void tell(uint64_t seed, const struct tally *t, _Bool ended, double took)
{
	printf("seed %llu: %lld reports, %lld commands, %lld facts, %lld archived, %lld crashes (%lld cuts, %lld "
	       "kills, %lld errors), "
	       "%lld full, %lld reloads, trace %016llx, %.1f s%s\n",
	       (unsigned long long)seed, (long long)t->reports, (long long)t->commands, (long long)t->facts,
	       (long long)t->archived, (long long)t->crashes, (long long)t->cuts, (long long)t->kills,
	       (long long)t->errors, (long long)t->full, (long long)t->reloads, (unsigned long long)t->trace, took,
	       !ended                                 ? ": IT DIED"
	       : t->broken + t->lost + t->doubled > 0 ? ": BROKEN"
	                                              : "");
	fflush(stdout);
}

/* ---- controls ---- */

/* A control has failed as it must when its life was stopped by an assertion, or something was found in it. */
static int64_t control(struct tally *t, const struct options *o, enum planted planted,
                       const struct policy *const *policies)
{
	_Bool ended = live_apart(t, o, o->seed, CONTROL_DAYS, planted, policies);
	int64_t found = t->broken + t->lost + t->doubled + !ended;

	printf("control \"%s\": %lld found%s%s\n", planted_name(planted), (long long)found,
	       t->first[0] ? ", first: " : "", t->first);
	return found;
}

/* The same seed is the same life, and another one is another. */
static _Bool repeats(struct tally *t, const struct options *o, const struct policy *const *policies)
{
	uint64_t traces[3];

	for (uint64_t i = 0; i < 3; i++) {
		if (!live_apart(t, o, o->seed + i / 2, REPEAT_DAYS, PLANTED_NONE, policies))
			return 0;
		traces[i] = t->trace;
	}
	return traces[0] == traces[1] && traces[1] != traces[2];
}

static void report(const struct options *o, const struct tally *sum, int64_t died, const int64_t *found, double took)
{
	printf("{\"harness\":\"simulate\",\"seed\":%llu,\"runs\":%d,\"days\":%d,\"acknowledged\":%lld,\"lost\":%lld,"
	       "\"doubled\":%lld,\"integrity_errors\":%lld,\"crashes\":%lld,\"commands\":%lld,\"facts\":%lld,"
	       "\"power_cuts\":%lld,\"kills\":%lld,\"recoveries\":%lld,\"trace\":\"%016llx\",\"controls\":[",
	       (unsigned long long)o->seed, o->seeds, o->days, (long long)sum->acknowledged, (long long)sum->lost,
	       (long long)sum->doubled, (long long)sum->broken, (long long)died, (long long)sum->commands,
	       (long long)sum->facts, (long long)sum->cuts, (long long)sum->kills, (long long)sum->recoveries,
	       (unsigned long long)sum->trace);
	for (int c = PLANTED_NONE + 1; o->controls && c < PLANTED_COUNT; c++)
		printf("%s{\"name\":\"%s\",\"failed_as_it_must\":%s,\"found\":%lld}", c > 1 ? "," : "",
		       planted_name((enum planted)c), found[c] > 0 ? "true" : "false", (long long)found[c]);
	printf("],\"seconds\":%.1f}\n", took);
}

static int run(const struct options *o)
{
	const struct policy *policies[SIM_POLICIES] = { town(NULL), town(re_cut), town(without_an_estate),
		                                        town(without_a_worker) };
	struct tally *one = mmap(NULL, sizeof *one, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct tally sum = { 0 };
	int64_t died = 0, found[PLANTED_COUNT] = { 0 };
	double began = seconds();
	_Bool blind = 0;

	must(one != MAP_FAILED);
	for (int i = 0; i < o->seeds; i++) {
		double start = seconds();
		_Bool ended = live_apart(one, o, o->seed + (uint64_t)i, o->days, PLANTED_NONE, policies);

		tell(o->seed + (uint64_t)i, one, ended, seconds() - start);
		add(&sum, one);
		died += !ended;
	}
	for (int c = PLANTED_NONE + 1; o->controls && c < PLANTED_COUNT; c++) {
		found[c] = control(one, o, (enum planted)c, policies);
		blind = blind || found[c] == 0;
	}
	if (!repeats(one, o, policies)) {
		printf("the same seed gave another life\n");
		sum.broken++;
	}
	report(o, &sum, died, found, seconds() - began);
	for (int i = 0; i < SIM_POLICIES; i++)
		policy_release(policies[i]);
	must(munmap(one, sizeof *one) == 0);
	return died + sum.lost + sum.doubled + sum.broken > 0 || blind;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "seed", required_argument, NULL, 's' },  { "seeds", required_argument, NULL, 'n' },
		{ "days", required_argument, NULL, 'd' },  { "reports", required_argument, NULL, 'r' },
		{ "no-controls", no_argument, NULL, 'c' }, { NULL, 0, NULL, 0 }
	};
	struct options o = { .seed = 1, .seeds = 1, .days = 365, .reports = 20, .controls = 1 };

	for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		switch (c) {
		case 's':
			o.seed = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			o.seeds = atoi(optarg);
			break;
		case 'd':
			o.days = atoi(optarg);
			break;
		case 'r':
			o.reports = atoi(optarg);
			break;
		case 'c':
			o.controls = 0;
			break;
		default:
			fprintf(stderr,
			        "simulate [--seed N] [--seeds COUNT] [--days N] [--reports A-DAY] [--no-controls]\n");
			return 2;
		}
	}
	must(setenv("TZ", "Asia/Shanghai", 1) == 0);
	tzset();
	log_set_level(LOG_LEVEL_ERROR - 1);
	return run(&o);
}
