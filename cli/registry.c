#include <string.h>

#include "login.h"
#include "verb.h"

const char *const phase_titles[PHASE_COUNT] = {
	[PHASE_DISCOVER] = "Discover 发现", [PHASE_HANDLE] = "Handle 处置", [PHASE_FEEDBACK] = "Feedback 反馈",
	[PHASE_REWARD] = "Reward 激励",     [PHASE_LOOK] = "Look 查看",     [PHASE_OPERATE] = "Operate 运行",
};

static const struct verb *const tables[] = {
	report_verbs,  act_verbs,      case_verbs,     watch_verbs,   notice_verbs, points_verbs,
	stats_verbs,   evidence_verbs, where_verbs,    operate_verbs, reload_verbs, emergency_verbs,
	offline_verbs, posts_verbs,    identity_verbs, rights_verbs,  replay_verbs, evaluate_verbs,
	camera_verbs,  backup_verbs,   doctor_verbs,   audit_verbs,   person_verbs, help_verbs,
};

const struct verb *verb_at(size_t i)
{
	for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
		for (const struct verb *v = tables[t]; v->name; v++)
			if (i-- == 0)
				return v;
	return NULL;
}

static const struct verb *find_name(const char *name)
{
	const struct verb *v;

	for (size_t i = 0; (v = verb_at(i)); i++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

const struct verb *verb_find(int argc, char **argv, int *used)
{
	char two_words[64];
	const struct verb *v = NULL;

	*used = 2;
	if (argc >= 2 && snprintf(two_words, sizeof two_words, "%s %s", argv[0], argv[1]) < (int)sizeof two_words)
		v = find_name(two_words);
	if (v || argc < 1)
		return v;
	*used = 1;
	return find_name(argv[0]);
}

static size_t least3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* How many letters must be added, taken away, changed or swapped with their neighbour to get from one name to the other. */
static size_t distance(const char *a, const char *b)
{
	enum { MOST = 40 };
	size_t rows[3][MOST + 1];
	size_t a_length = strnlen(a, MOST), b_length = strnlen(b, MOST);

	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			now[j] = least3(before[j] + 1, now[j - 1] + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    earlier[j - 2] + 1 < now[j])
				now[j] = earlier[j - 2] + 1;
		}
	}
	return rows[a_length % 3][b_length];
}

const struct verb *verb_nearest(const char *typed)
{
	const struct verb *v, *nearest = NULL;
	size_t least = strlen(typed) / 3 + 2;

	for (size_t i = 0; (v = verb_at(i)); i++) {
		/* "show" is near to "case show" though half of the letters are missing. */
		const char *second = strchr(v->name, ' ');
		size_t d = distance(typed, v->name);
		size_t d2 = second ? distance(typed, second + 1) : d;

		d = d2 < d ? d2 : d;
		if (d < least || (strlen(typed) >= 3 && strncmp(v->name, typed, strlen(typed)) == 0 && least > 1)) {
			least = d < least ? d : 1;
			nearest = v;
		}
	}
	return nearest;
}

static const struct option_row json_row = { "--json", OPTION_FLAG, NULL, "print JSON", 0, 0 };
static const struct option_row csv_row = { "--csv", OPTION_FLAG, NULL, "print CSV", 0, 0 };
static const struct option_row no_color_row = { "--no-color", OPTION_FLAG, NULL, "no colours (also NO_COLOR=1)", 0, 0 };
static const struct option_row help_row = { "--help", OPTION_FLAG, NULL, "this help (also -h)", 0, 0 };

void verb_options(const struct verb *v, struct option_set *set)
{
	option_set_add_all(set, v->options);
	for (int i = 0; v->takes >> i; i++)
		if (v->takes >> i & 1)
			option_set_add(set, &act_options[i]);
	if (v->flags & VERB_SERVER)
		option_set_add_all(set, login_options);
	if (v->flags & VERB_JSON)
		option_set_add(set, &json_row);
	if (v->flags & VERB_CSV)
		option_set_add(set, &csv_row);
	option_set_add(set, &no_color_row);
	option_set_add(set, &help_row);
}
