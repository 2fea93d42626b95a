#include "jurisdiction/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void audit_wrong(const struct audit *c, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	must(vasprintf(&text, format, args) >= 0);
	va_end(args);
	problems_add(c->problems, c->path, c->line, "%s", text);
	free(text);
}

_Bool audit_is_known(const struct table *t, const void *row)
{
	return row || t->partial;
}

_Bool audit_is_place(const struct policy *p, int64_t code)
{
	if (code > INT64_C(999999999999))
		return audit_is_known(&p->grids, policy_grid(p, code));
	return code == 0 || audit_is_known(&p->areas, policy_area(p, code));
}

_Bool audit_lacks(const struct person *who, uint32_t role)
{
	return who->roles && !(who->roles & role);
}

void audit_place(const struct audit *c, const char *what, int64_t code)
{
	if (!audit_is_place(c->policy, code))
		audit_wrong(c, "found %s %" PRId64 "; expected one from areas.csv or grids.csv", what, code);
}

void audit_unit(const struct audit *c, const char *id)
{
	if (id && !audit_is_known(&c->policy->units, policy_unit(c->policy, id)))
		audit_wrong(c, "found unit \"%s\"; expected one from units.csv", id);
}

static _Bool has_class(const struct policy *p, int32_t category)
{
	for (size_t i = 0; i < p->categories.count; i++)
		if (((const struct category *)p->categories.rows[i])->code / 100 == category / 100)
			return 1;
	return 0;
}

void audit_category(const struct audit *c, int32_t category)
{
	const struct policy *p = c->policy;
	_Bool known = category % 100 ? policy_category(p, category) != NULL : category == 0 || has_class(p, category);
	char text[WORDS_CATEGORY_SIZE];

	if (known || p->categories.partial)
		return;
	words_category_text(category, text);
	audit_wrong(c, "found category %s; expected one from categories.csv", text);
}

void audit_period(const struct audit *c, int64_t from_ms, int64_t to_ms)
{
	if (to_ms && from_ms >= to_ms)
		audit_wrong(c, "found an end that is not after its beginning; expected from before to");
}

size_t audit_number_key(int64_t number, char out[SHEET_KEY_SIZE])
{
	memcpy(out, &number, sizeof number);
	return sizeof number;
}

size_t audit_text_key(const char *text, char out[SHEET_KEY_SIZE])
{
	return (size_t)snprintf(out, SHEET_KEY_SIZE, "%s", text);
}

char *audit_path(const struct policy *p, const char *file)
{
	char *path = NULL;

	must(asprintf(&path, "%s/%s", p->folder, file) >= 0);
	return path;
}
