/* doctor: everything an operator should look at, in one table, with what to do. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/problems.h"
#include "care.h"
#include "doctor.h"
#include "show.h"
#include "verb.h"

#define CHECK_MOST_MS 5000
#define AREA_CONFIG "configuration 配置"
#define AREA_POLICY "jurisdiction 辖区"

static const struct {
	const char *mark, *word, *name;
	enum tint tint;
} healths[] = {
	[HEALTH_OK] = { "✓", "ok", "ok", TINT_GREEN },
	[HEALTH_WARNING] = { "!", "warning", "warning", TINT_YELLOW },
	[HEALTH_PROBLEM] = { "✗", "problem", "problem", TINT_RED },
};

/* ---- findings ---- */

void doctor_find(struct doctor *d, enum health health, const char *area, const char *todo, const char *format, ...)
{
	struct finding *f;
	va_list args;

	d->findings = must_realloc(d->findings, (d->count + 1) * sizeof *d->findings);
	f = &d->findings[d->count++];
	*f = (struct finding){ .health = health, .area = area };
	if (health != HEALTH_OK)
		f->todo = must_strdup(todo);
	va_start(args, format);
	must(vasprintf(&f->found, format, args) >= 0);
	va_end(args);
}

size_t doctor_find_all(struct doctor *d, const char *area, const char *todo, const struct problems *p)
{
	for (size_t i = 0; i < p->count; i++)
		doctor_find(d, HEALTH_PROBLEM, area, todo, "%s", p->lines[i]);
	for (size_t i = 0; i < p->warning_count; i++)
		doctor_find(d, HEALTH_WARNING, area, todo, "%s", p->warnings[i]);
	return p->count + p->warning_count;
}

_Bool doctor_system_clock(const struct doctor *d)
{
	return d->config.clock == CONFIG_CLOCK_SYSTEM;
}

const char *doctor_size(int64_t bytes, char out[DOCTOR_SIZE_TEXT])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < sizeof units / sizeof *units) {
		value /= 1024;
		unit++;
	}
	snprintf(out, DOCTOR_SIZE_TEXT, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return out;
}

/* ---- the examination ---- */

static void examine_policy(struct doctor *d)
{
	struct problems problems = { 0 };

	d->policy = policy_load(d->config.jurisdiction, &problems);
	if (d->policy && config_fits(&d->config, d->policy, &problems) && doctor_system_clock(d))
		policy_warn(d->policy, d->now_ms, &problems);
	if (doctor_find_all(d, AREA_POLICY, "mend the file, then: gridloop check-config, gridloop reload", &problems) ==
	    0)
		doctor_find(d, HEALTH_OK, AREA_POLICY, NULL, "%s is in order", d->config.jurisdiction);
	problems_close(&problems);
}

static void (*const checks[])(struct doctor *d) = {
	examine_policy,      doctor_clock, doctor_disk,   doctor_permissions, doctor_database,
	doctor_certificates, doctor_redis, doctor_daemon, doctor_socket,      doctor_administrator,
};

static void examine(struct doctor *d, const char *path)
{
	struct problems problems = { 0 };
	_Bool good = config_load(&d->config, path, NULL, 0, &problems);

	(void)doctor_find_all(d, AREA_CONFIG, "mend the line; gridloop check-config says whether it is right",
	                      &problems);
	problems_close(&problems);
	if (!good)
		return;
	doctor_find(d, HEALTH_OK, AREA_CONFIG, NULL, "%s is in order", path);
	/* Dates are local ones, as the daemon's are. */
	must(setenv("TZ", d->config.time_zone, 1) == 0);
	tzset();
	checkup_database(d->config.database, CHECK_MOST_MS, &d->database);
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		checks[i](d);
	checkup_close(&d->database);
	policy_release(d->policy);
	config_close(&d->config);
}

/* ---- telling ---- */

static int count_of(const struct doctor *d, enum health health)
{
	int count = 0;

	for (size_t i = 0; i < d->count; i++)
		count += d->findings[i].health == health;
	return count;
}

static enum health worst_of(const struct doctor *d)
{
	return count_of(d, HEALTH_PROBLEM) ? HEALTH_PROBLEM : count_of(d, HEALTH_WARNING) ? HEALTH_WARNING : HEALTH_OK;
}

static void print_table(const struct call *call, const struct doctor *d)
{
	static const struct column columns[] = {
		{ "", 0, 0, 0 },
		{ "", 0, 0, 0 },
		{ "what", 0, 0, 0 },
		{ "found", 0, 1, 0 },
	};
	struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);

	for (size_t i = 0; i < d->count; i++) {
		const struct finding *f = &d->findings[i];

		table_cell_as(t, healths[f->health].mark, healths[f->health].tint, NULL);
		table_cell_as(t, healths[f->health].word, healths[f->health].tint, NULL);
		table_cell(t, f->area);
		table_cell(t, f->found);
	}
	(void)table_print(t, stdout, call->width, call->color);
	table_free(t);
}

/* The worst first, whole sentences: a narrow terminal may have cut them in the table. */
static void print_advice(const struct call *call, const struct doctor *d)
{
	for (enum health h = HEALTH_PROBLEM; h > HEALTH_OK; h--)
		for (size_t i = 0; i < d->count; i++) {
			const struct finding *f = &d->findings[i];

			if (f->health == h)
				printf("\n%s%s%s: %s\n  next: %s\n", tint_on(healths[h].tint, call->color),
				       healths[h].word, tint_off(healths[h].tint, call->color), f->found, f->todo);
		}
	int warnings = count_of(d, HEALTH_WARNING), problems = count_of(d, HEALTH_PROBLEM);

	printf("\n%d ok, %d warning%s, %d problem%s\n", count_of(d, HEALTH_OK), warnings, warnings == 1 ? "" : "s",
	       problems, problems == 1 ? "" : "s");
}

static void print_json(const struct doctor *d)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, "health", healths[worst_of(d)].name);
	json_open(&j, "findings", '[');
	for (size_t i = 0; i < d->count; i++) {
		const struct finding *f = &d->findings[i];

		json_open(&j, NULL, '{');
		json_text(&j, "health", healths[f->health].name);
		json_text(&j, "what", f->area);
		json_text(&j, "found", f->found);
		json_text(&j, "next", f->todo);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	putchar('\n');
}

static enum exit_code run_doctor(struct call *call)
{
	struct doctor d = { .now_ms = wall_now_ms() };

	examine(&d, care_config_path(call));
	if (call->json) {
		print_json(&d);
	} else {
		print_table(call, &d);
		print_advice(call, &d);
	}
	enum health worst = worst_of(&d);

	for (size_t i = 0; i < d.count; i++) {
		free(d.findings[i].found);
		free(d.findings[i].todo);
	}
	free(d.findings);
	return (enum exit_code)worst;
}

static const struct option_row doctor_options[] = {
	CARE_CONFIG_ROW,
	{ 0 },
};

const struct verb doctor_verbs[] = {
	{ .name = "doctor",
	  .zh = "体检",
	  .phase = PHASE_OPERATE,
	  .flags = VERB_JSON,
	  .usage = "[--config FILE]",
	  .options = doctor_options,
	  .summary = "look at everything an operator should look at, and say what to do",
	  .help = "Configuration, jurisdiction, clock, disk, permissions, database, certificates, Redis, the daemon, "
	          "its socket\n"
	          "on this machine, and whether an administrator can log in; each with ok, warning or problem, and "
	          "what "
	          "to do.\n"
	          "Changes nothing; the daemon may be running. Run it as root or as the daemon's user, who can see "
	          "everything.\n"
	          "Exit code 0 all is well, 1 there are warnings, 2 there are problems.",
	  .example = "gridloop doctor\ngridloop doctor --config /etc/gridloop/gridloop.conf --json",
	  .related = "backup, restore, verify, check-config",
	  .most_words = 0,
	  .run = run_doctor },
	{ 0 },
};
