#include "jurisdiction/words.h"

#include <stdio.h>
#include <string.h>

#include "jurisdiction/roles.h"

const struct word words_kinds[] = {
	{ "resident", 1 },   { "grid-worker", 2 }, { "part-time-worker", 3 }, { "courier", 4 },
	{ "food-rider", 5 }, { "ride-hail", 6 },   { "property", 7 },         { "contractor", 8 },
	{ "volunteer", 9 },  { "hotline", 10 },    { "camera", 11 },          { "meeting", 12 },
	{ NULL, 0 },
};

const struct word words_roles[] = {
	{ "reporter", ROLE_REPORTER },
	{ "acceptor", ROLE_ACCEPTOR },
	{ "dispatcher", ROLE_DISPATCHER },
	{ "worker", ROLE_WORKER },
	{ "handler", ROLE_HANDLER },
	{ "supervisor", ROLE_SUPERVISOR },
	{ "visitor", ROLE_VISITOR },
	{ "convener", ROLE_CONVENER },
	{ "station", ROLE_STATION },
	{ "gateway", ROLE_GATEWAY },
	{ "cameras", ROLE_CAMERAS },
	{ "operator", ROLE_OPERATOR },
	{ "administrator", ROLE_ADMINISTRATOR },
	{ NULL, 0 },
};
_Static_assert(sizeof words_roles / sizeof words_roles[0] == ROLE_BITS + 1, "a word for every role");

const struct word words_unit_kinds[] = {
	{ "department", 1 }, { "property", 2 }, { "contractor", 3 },   { "volunteer", 4 },
	{ "community", 5 },  { "street", 6 },   { "self-managed", 7 }, { NULL, 0 },
};

const struct word words_near_far[] = {
	{ "no", NEAR_FAR_NO }, { "reward", NEAR_FAR_REWARD }, { "file", NEAR_FAR_FILE }, { NULL, 0 }
};

const struct word words_matters[] = {
	{ "public", MATTER_PUBLIC }, { "own", MATTER_OWN }, { "several", MATTER_SEVERAL }, { NULL, 0 }
};

const struct word words_acts[] = {
	{ "reject", 1 },  { "return", 2 }, { "rework", 3 }, { "suspend", 4 },
	{ "dismiss", 5 }, { "exempt", 6 }, { NULL, 0 },
};

const char *role_name(enum role one_bit)
{
	for (const struct word *word = words_roles; word->name; word++)
		if (word->value == (uint32_t)one_bit)
			return word->name;
	return "none";
}

uint32_t role_from_name(const char *name)
{
	const struct word *word = words_find(words_roles, name, strlen(name));

	return word ? word->value : 0;
}

const struct word *words_find(const struct word *words, const char *text, size_t length)
{
	for (const struct word *word = words; word->name; word++)
		if (strlen(word->name) == length && memcmp(word->name, text, length) == 0)
			return word;
	return NULL;
}

void words_list(const struct word *words, char *out, size_t size)
{
	size_t used = 0;

	*out = '\0';
	for (const struct word *word = words; word->name && used < size; word++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", word->name);
}

/* Two digits from 01 on; 0 when they are none. */
static int32_t two_digits(const char *text)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return 0;
	return (text[0] - '0') * 10 + (text[1] - '0');
}

static int32_t class_of(const char *text)
{
	int32_t kind = *text == 'E' ? 1 : *text == 'C' ? 2 : 0;
	int32_t number = kind ? two_digits(text + 1) : 0;

	return number ? kind * 10000 + number * 100 : 0;
}

int32_t words_category(const char *text)
{
	if (strlen(text) != 5)
		return 0;

	int32_t class = class_of(text);
	int32_t subclass = two_digits(text + 3);

	return class && subclass ? class + subclass : 0;
}

int32_t words_category_pattern(const char *text)
{
	return strlen(text) == 3 ? class_of(text) : words_category(text);
}

void words_category_text(int32_t category, char out[WORDS_CATEGORY_SIZE])
{
	int rest = category % 10000;

	if (rest % 100 == 0)
		snprintf(out, WORDS_CATEGORY_SIZE, "%c%02d", category / 10000 == 2 ? 'C' : 'E', rest / 100 % 100);
	else
		snprintf(out, WORDS_CATEGORY_SIZE, "%c%04d", category / 10000 == 2 ? 'C' : 'E', rest % 10000);
}
