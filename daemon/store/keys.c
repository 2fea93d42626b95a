/* keys: how answers to requests get from where they are quick to write to where they are quick to find. */
#include "base/log.h"
#include "store/writer.h"

/* Moves the oldest of the new keys, in key order, inside the open transaction. */
static enum store_result move_oldest(struct store *s, int64_t most)
{
	sqlite3_stmt *copy = writer_use(s, WRITE_SETTLE_KEYS), *remove = writer_use(s, WRITE_UNLIST_KEYS);
	int64_t last = s->oldest_key + most - 1 < s->newest_key ? s->oldest_key + most - 1 : s->newest_key;
	enum store_result result;

	bind_int(copy, 1, last);
	bind_int(remove, 1, last);
	result = writer_result(s, connection_run(copy), "settle-keys");
	if (result == STORE_OK)
		result = writer_result(s, connection_run(remove), "unlist-keys");
	if (result == STORE_OK)
		s->oldest_key = last + 1;
	return result;
}

enum store_result keys_write(struct store *s, const struct key_fact *k)
{
	sqlite3_stmt *st = writer_use(s, WRITE_KEY);

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
	bind_int(st, 12, ++s->newest_key);
	return writer_result(s, connection_run(st), "key");
}

enum store_result keys_before_commit(struct store *s)
{
	if (s->newest_key - s->oldest_key < KEYS_NEW_MOST)
		return STORE_OK;
	return move_oldest(s, KEYS_MOVED_WITH_A_COMMIT);
}

enum store_result keys_when_idle(struct store *s)
{
	enum store_result result;

	if (s->oldest_key > s->newest_key)
		return STORE_OK;
	result = store_begin(s);
	if (result == STORE_OK)
		result = move_oldest(s, KEYS_MOVED_WHEN_IDLE);
	if (result == STORE_OK)
		return writer_result(s, connection_run(writer_use(s, WRITE_COMMIT)), "commit");
	if (result == STORE_FULL)
		store_rollback(s);
	return result;
}

_Bool keys_learn(struct store *s, char **cause)
{
	_Bool ok = 1;

	s->newest_key = connection_number(&s->connection, "SELECT max(id) FROM new_key", 0, &ok);
	s->oldest_key = connection_number(&s->connection, "SELECT min(id) FROM new_key", 0, &ok);
	if (s->newest_key == 0)
		s->oldest_key = 1;
	if (!ok)
		*cause = connection_cause(&s->connection, "the new keys cannot be read");
	return ok;
}
