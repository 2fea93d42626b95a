/* keys: how answers to requests get from where they are quick to write to where they are quick to find. */
#include "base/log.h"
#include "store/writer.h"

_Bool keys_told_by(const struct key_fact *k, const struct fact *last)
{
	int64_t due_ms = last->stage_due_ms != 0 ? last->stage_due_ms : last->handle_due_ms;

	int64_t same = last->act == ACT_SUBMIT ? last->value : 0;

	return k->case_id == last->case_id && k->category == last->category && k->state == (uint8_t)last->to &&
	       k->due_ms == due_ms && k->merged_into == 0 && k->balance == 0 && k->maybe_same_as == same &&
	       (same == 0 || k->maybe_same_category == last->category);
}

_Bool keys_are_new(const struct store *s)
{
	return s->keys_settled < s->newest_key;
}

/* Copies the keys of the oldest events that wait, in key order, inside the open transaction. */
static enum store_result settle_oldest(struct store *s, int64_t most)
{
	sqlite3_stmt *copy = writer_use(s, WRITE_SETTLE_KEYS), *mark = writer_use(s, WRITE_KEYS_SETTLED);
	int64_t last = s->keys_settled + most < s->newest_key ? s->keys_settled + most : s->newest_key;
	enum store_result result;

	bind_int(copy, 1, last);
	bind_int(mark, 1, last);
	result = writer_execute(s, copy, "settle-keys");
	if (result == STORE_OK)
		result = writer_execute(s, mark, "keys-settled");
	if (result == STORE_OK) {
		s->keys_settled = last;
		s->keys_beside = keys_are_new(s) ? s->keys_beside : 0;
	}
	return result;
}

enum store_result keys_write(struct store *s, const struct key_fact *k)
{
	sqlite3_stmt *st = writer_use(s, WRITE_KEY);

	s->keys_beside += keys_are_new(s);
	bind_bytes(st, 1, k->key.bytes, sizeof k->key.bytes);
	bind_bytes(st, 2, k->hash, sizeof k->hash);
	bind_int(st, 3, k->case_id);
	bind_int(st, 4, k->category);
	bind_int(st, 5, k->state);
	bind_int(st, 6, k->due_ms);
	bind_int(st, 7, k->merged_into);
	bind_int(st, 8, k->merged_into_category);
	bind_int(st, 9, k->maybe_same_as);
	bind_int(st, 10, k->maybe_same_category);
	bind_int(st, 11, k->balance);
	return writer_execute(s, st, "key");
}

enum store_result keys_before_commit(struct store *s)
{
	if (!keys_are_new(s) || s->newest_key - s->keys_settled + s->keys_beside < KEYS_NEW_MOST)
		return STORE_OK;
	return settle_oldest(s, KEYS_MOVED_WITH_A_COMMIT);
}

enum store_result keys_when_idle(struct store *s)
{
	enum store_result result;

	if (!keys_are_new(s))
		return STORE_OK;
	result = store_begin(s);
	if (result == STORE_OK)
		result = settle_oldest(s, KEYS_MOVED_WHEN_IDLE);
	if (result == STORE_OK)
		result = writer_execute(s, writer_use(s, WRITE_COMMIT), "commit");
	if (result == STORE_FULL)
		store_rollback(s);
	return result;
}

_Bool keys_learn(struct store *s, char **cause)
{
	_Bool ok = 1;

	s->keys_settled =
		connection_number(&s->connection, "SELECT value FROM meta WHERE name = 'keys_settled'", 0, &ok);
	s->newest_key = connection_number(&s->connection, "SELECT max(id) FROM new_key", 0, &ok);
	if (!ok)
		*cause = connection_cause(&s->connection, "the new keys cannot be read");
	return ok;
}
