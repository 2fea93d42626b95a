/* json: a writer only. Commas and escapes are its business, structure is the caller's. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *to;
	int depth;
	_Bool comma[16]; /* whether the level already has a member */
};

void json_init(struct json *j, FILE *to);
void json_open(struct json *j, const char *key, char bracket); /* '{' or '['; key NULL inside arrays and at the top */
void json_close(struct json *j, char bracket);                 /* '}' or ']' */
void json_text(struct json *j, const char *key, const char *value); /* NULL writes null */
void json_int(struct json *j, const char *key, int64_t value);
void json_real(struct json *j, const char *key, double value); /* not finite writes null */
void json_bool(struct json *j, const char *key, _Bool value);

#endif
