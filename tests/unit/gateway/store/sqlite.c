/* links: sealgate-vault */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "gateway/base/fd.h"
#include "gateway/base/secret.h"
#include "gateway/store/store.h"

#define TENANT "acme"

struct place {
	char folder[64];
	char path[96];
	char log[128];
	bool mounted;
	struct store *store;
};

static int place_make(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	(void)snprintf(place->folder, sizeof(place->folder), "/tmp/sealgate-store-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	(void)snprintf(place->path, sizeof(place->path), "%s/vault.db", place->folder);
	(void)snprintf(place->log, sizeof(place->log), "%s-wal", place->path);
	*state = place;
	return 0;
}

static int place_drop(void **state)
{
	struct place *place = *state;
	char other[128];

	store_close(place->store);
	(void)unlink(place->path);
	(void)unlink(place->log);
	(void)snprintf(other, sizeof(other), "%s/filler", place->folder);
	(void)unlink(other);
	if (place->mounted)
		(void)umount(place->folder);
	(void)rmdir(place->folder);
	free(place);
	return 0;
}

static void open_store(struct place *place)
{
	struct fail f;

	fail_clear(&f);
	if (store_sqlite_open(place->path, true, &place->store, &f) != SG_OK)
		fail_msg("%s", f.what);
	assert_int_equal(place->store->ops->tenant_put(place->store, TENANT, &f), SG_OK);
}

static void reopen(struct place *place)
{
	store_close(place->store);
	place->store = NULL;
	open_store(place);
}

static enum fail_code put_record(struct store *store, const char *queue_id,
    const char *message_id, size_t size, struct fail *f)
{
	unsigned char *data = calloc(1, size);
	struct store_record record = {.tenant = TENANT, .time_ms = 1, .queue_id = queue_id,
	    .message_id = message_id, .data = data, .size = size};
	enum fail_code code;

	assert_non_null(data);
	code = store->ops->begin(store, f);
	if (code == SG_OK)
		code = store->ops->record_put(store, &record, f);
	if (code == SG_OK)
		code = store->ops->commit(store, f);
	else
		store->ops->rollback(store);
	free(data);
	return code;
}

static uint64_t count_records(struct store *store)
{
	struct store_counts counts;
	struct fail f;

	assert_int_equal(store->ops->counts(store, 0, &counts, &f), SG_OK);
	return counts.records;
}

static enum fail_code count_rows(void *context, uint64_t row, const void *data, size_t size,
    struct fail *f)
{
	(void)row;
	(void)data;
	(void)size;
	(void)f;
	++*(size_t *)context;
	return SG_OK;
}

/* --- tests --- */

static void makes_a_file_for_its_owner_alone(void **state)
{
	struct place *place = *state;
	struct stat st;

	open_store(place);
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(place->log, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void does_not_make_one_unasked(void **state)
{
	struct place *place = *state;
	struct fail f;

	assert_int_equal(store_sqlite_open(place->path, false, &place->store, &f), SG_ENOTFOUND);
	assert_null(place->store);
	assert_int_not_equal(access(place->path, F_OK), 0);
}

static void keeps_what_was_committed(void **state)
{
	struct place *place = *state;
	size_t found = 0;
	struct fail f;

	open_store(place);
	assert_int_equal(put_record(place->store, "Q1", "<m@x>", 100, &f), SG_OK);
	reopen(place);
	assert_int_equal(count_records(place->store), 1);
	assert_int_equal(place->store->ops->record_find(place->store, "Q1", 0, 10, count_rows,
	    &found, &f), SG_OK);
	assert_int_equal(found, 1);
	assert_int_equal(place->store->ops->record_find(place->store, "<m@x>", 0, 10, count_rows,
	    &found, &f), SG_OK);
	assert_int_equal(found, 2);
	assert_int_equal(place->store->ops->record_find(place->store, "", 0, 10, count_rows,
	    &found, &f), SG_OK);
	assert_int_equal(found, 2);
}

static void forgets_what_was_rolled_back(void **state)
{
	struct place *place = *state;
	struct store_record record = {.tenant = TENANT, .queue_id = "Q", .message_id = "",
	    .data = (const unsigned char *)"x", .size = 1};
	struct fail f;

	open_store(place);
	assert_int_equal(place->store->ops->begin(place->store, &f), SG_OK);
	assert_int_equal(place->store->ops->record_put(place->store, &record, &f), SG_OK);
	place->store->ops->rollback(place->store);
	place->store->ops->rollback(place->store);
	assert_int_equal(count_records(place->store), 0);
}

static void refuses_rows_of_an_unknown_tenant(void **state)
{
	struct place *place = *state;
	struct store_mark mark = {.tenant = "nobody", .sender = "", .source = "", .queue_id = "",
	    .message_id = ""};
	struct fail f;

	open_store(place);
	assert_int_equal(place->store->ops->mark_put(place->store, &mark, &f), SG_ESYSTEM);
	assert_false(place->store->ops->broken(place->store));
}

static void overwrite(const char *path, off_t at, size_t size)
{
	unsigned char noise[4096];
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	memset(noise, 0xa5, sizeof(noise));
	assert_true(fd >= 0 && size <= sizeof(noise));
	assert_int_equal(pwrite(fd, noise, size, at), (ssize_t)size);
	(void)close(fd);
}

static void names_a_damaged_database(void **state)
{
	struct place *place = *state;
	struct fail f;

	open_store(place);
	store_close(place->store);
	place->store = NULL;
	overwrite(place->path, 0, 100);
	assert_int_equal(store_sqlite_open(place->path, false, &place->store, &f), SG_ESYSTEM);
	assert_non_null(strstr(f.what, "damaged"));
	assert_non_null(strstr(f.hint, "backup"));
	assert_int_equal(f.kind, FAIL_TEMPORARY);
}

static void finds_damage_behind_the_head(void **state)
{
	struct place *place = *state;
	struct stat st;
	struct fail f;
	off_t at;

	open_store(place);
	assert_int_equal(put_record(place->store, "Q1", "<m@x>", 20000, &f), SG_OK);
	store_close(place->store);
	place->store = NULL;
	assert_int_equal(stat(place->path, &st), 0);
	for (at = 4096; at + 4096 <= st.st_size; at += 4096)
		overwrite(place->path, at, 4096);
	assert_int_equal(store_sqlite_open(place->path, false, &place->store, &f), SG_ESYSTEM);
	assert_non_null(strstr(f.hint, "backup"));
}

static void notices_that_its_file_is_gone(void **state)
{
	struct place *place = *state;
	struct fail f;

	open_store(place);
	assert_int_equal(place->store->ops->check(place->store, &f), SG_OK);
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(place->store->ops->check(place->store, &f), SG_ESYSTEM);
	assert_true(place->store->ops->broken(place->store));
	assert_non_null(strstr(f.what, "removed"));
}

static void notices_that_its_log_is_gone(void **state)
{
	struct place *place = *state;
	struct fail f;

	open_store(place);
	assert_int_equal(unlink(place->log), 0);
	assert_int_equal(place->store->ops->check(place->store, &f), SG_ESYSTEM);
	assert_true(place->store->ops->broken(place->store));
}

static void brings_a_first_schema_up_to_date(void **state)
{
	static const char back[] = "DROP TABLE mark_use; DROP TABLE waiting;"
	    " DROP TABLE tls_session;"
	    " DROP TABLE position; DROP TABLE password_past; DROP TABLE mark_password;"
	    " DROP TABLE told; DROP TABLE outbox; ALTER TABLE vault_key DROP COLUMN until_ms;"
	    " DELETE FROM schema_version WHERE version > 1";
	struct place *place = *state;
	struct store_session session = {100, "d.example", "mx", "192.0.2.1", "", 1};
	struct store_counts counts;
	struct fail f;
	sqlite3 *db;

	open_store(place);
	assert_int_equal(put_record(place->store, "4A", "<1@x>", 10, &f), SG_OK);
	store_close(place->store);
	place->store = NULL;
	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, back, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	open_store(place);
	assert_int_equal(place->store->ops->session_add(place->store, &session, &f), SG_OK);
	assert_int_equal(place->store->ops->counts(place->store, 0, &counts, &f), SG_OK);
	assert_int_equal(counts.records, 1);
	assert_true(counts.schema >= 2);
}

static enum fail_code one_waits(void *context, const struct store_waiting *waiting, struct fail *f)
{
	(void)f;
	*(int64_t *)context = waiting->time_ms;
	return SG_OK;
}

static enum fail_code one_session(void *context, const struct store_session *session,
    struct fail *f)
{
	(void)f;
	*(uint64_t *)context += session->count;
	return SG_OK;
}

static void forgets_what_waits_and_sessions_that_are_old(void **state)
{
	struct place *place = *state;
	struct store_waiting waiting = {"4A", "a@b", 1000, true, "mx", "no"};
	struct store_session session = {100, "d.example", "mx", "192.0.2.1", "", 3};
	struct store_session from = {100, "", "", "", "", 0};
	const struct store_ops *ops;
	uint64_t sessions = 0;
	int64_t time_ms = 0;
	struct fail f;

	open_store(place);
	ops = place->store->ops;
	assert_int_equal(ops->waiting_put(place->store, &waiting, &f), SG_OK);
	assert_int_equal(ops->session_add(place->store, &session, &f), SG_OK);
	assert_int_equal(ops->fact_purge(place->store, 1000, 100, &f), SG_OK);
	assert_int_equal(ops->waiting_get(place->store, "4A", "a@b", one_waits, &time_ms, &f),
	    SG_OK);
	assert_int_equal(time_ms, 1000);
	assert_int_equal(ops->session_list(place->store, &from, 10, one_session, &sessions, &f),
	    SG_OK);
	assert_int_equal(sessions, 3);
	assert_int_equal(ops->fact_purge(place->store, 1001, 101, &f), SG_OK);
	assert_int_equal(ops->waiting_get(place->store, "4A", "a@b", one_waits, &time_ms, &f),
	    SG_ENOTFOUND);
	assert_int_equal(ops->session_list(place->store, &from, 10, one_session, &sessions, &f),
	    SG_OK);
	assert_int_equal(sessions, 3);
}

static void refuses_a_newer_schema(void **state)
{
	struct place *place = *state;
	sqlite3 *db = NULL;
	struct fail f;

	open_store(place);
	store_close(place->store);
	place->store = NULL;
	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "INSERT INTO schema_version VALUES (99)", NULL, NULL,
	    NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(store_sqlite_open(place->path, false, &place->store, &f), SG_EUSAGE);
	assert_non_null(strstr(f.what, "schema 99"));
}

/* --- a small disk, where we may mount one --- */

static bool small_disk(struct place *place)
{
	if (geteuid() != 0 || mount("none", place->folder, "tmpfs", 0, "size=1m,mode=0700") != 0) {
		print_message("no right to mount: not tried\n");
		return false;
	}
	place->mounted = true;
	return true;
}

static void goes_on_after_a_full_disk(void **state)
{
	struct place *place = *state;
	char filler[128];
	uint64_t stored = 0;
	char *noise;
	struct fail f;
	int fd;

	if (!small_disk(place))
		skip();
	open_store(place);
	(void)snprintf(filler, sizeof(filler), "%s/filler", place->folder);
	fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	noise = calloc(1, 400000);
	assert_non_null(noise);
	assert_int_equal(write(fd, noise, 400000), 400000);
	(void)close(fd);
	free(noise);
	fail_clear(&f);
	while (put_record(place->store, "Q", "<m@x>", 20000, &f) == SG_OK)
		assert_true(++stored < 100);
	assert_true(stored > 0);
	assert_int_equal(f.code, SG_ESYSTEM);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_non_null(strstr(f.what, "no space left"));
	assert_int_equal(count_records(place->store), stored);
	assert_int_equal(unlink(filler), 0);
	/* without help from outside, if the store does not ask to be opened again */
	if (place->store->ops->broken(place->store))
		reopen(place);
	assert_int_equal(put_record(place->store, "Q", "<m@x>", 20000, &f), SG_OK);
	reopen(place);
	assert_int_equal(count_records(place->store), stored + 1);
}

static void says_when_its_disk_is_read_only(void **state)
{
	struct place *place = *state;
	struct fail f;

	if (!small_disk(place))
		skip();
	open_store(place);
	store_close(place->store);
	place->store = NULL;
	assert_int_equal(mount("none", place->folder, "tmpfs", MS_REMOUNT | MS_RDONLY, ""), 0);
	fail_clear(&f);
	assert_int_equal(store_sqlite_open(place->path, true, &place->store, &f), SG_ESYSTEM);
	assert_non_null(strstr(f.hint, "write"));
	assert_int_equal(mount("none", place->folder, "tmpfs", MS_REMOUNT, ""), 0);
}

/* --- random walk against a model --- */

#define WALK_STEPS 3000
#define WALK_NAMES 8

struct model {
	bool password[WALK_NAMES];
	unsigned char sealed[WALK_NAMES];
	bool cert[WALK_NAMES][WALK_NAMES];	/* address, fingerprint */
	bool mark[WALK_NAMES];
	int64_t expires[WALK_NAMES];
};

static const char *name_of(size_t n)
{
	static const char *const names[WALK_NAMES] = {"a@x", "b@x", "c@x", "d@x", "e@x", "f@x",
	    "g@x", "h@x"};

	return names[n];
}

static uint32_t walk_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void walk_password(struct store *store, struct model *model, size_t n, uint32_t chance)
{
	struct store_secret row = {.name = name_of(n), .origin = "set", .created = 1};
	unsigned char sealed = (unsigned char)chance;
	uint32_t removed = 0;
	struct fail f;

	if (chance % 3 == 0) {
		assert_int_equal(store->ops->password_remove(store, TENANT, name_of(n), 1, &removed,
		    &f), SG_OK);
		assert_int_equal(removed, model->password[n] ? 1 : 0);
		model->password[n] = false;
		return;
	}
	assert_int_equal(secret_random_bytes(row.id, sizeof(row.id)), SG_OK);
	row.sealed = &sealed;
	row.sealed_size = 1;
	assert_int_equal(store->ops->password_put(store, TENANT, &row, &f), SG_OK);
	model->password[n] = true;
	model->sealed[n] = sealed;
}

static void walk_cert(struct store *store, struct model *model, size_t n, size_t m,
    uint32_t chance)
{
	struct store_cert row = {.address = name_of(n), .fingerprint = name_of(m), .subject = "",
	    .issuer = "", .key = "", .der = (const unsigned char *)"d", .der_size = 1};
	uint32_t expected = 0;
	uint32_t removed = 0;
	struct fail f;
	size_t i;

	if (chance % 4 == 0) {
		for (i = 0; i < WALK_NAMES; i++) {
			expected += model->cert[i][m] ? 1 : 0;
			model->cert[i][m] = false;
		}
		assert_int_equal(store->ops->cert_remove(store, TENANT, NULL, name_of(m), &removed,
		    &f), SG_OK);
		assert_int_equal(removed, expected);
	} else if (chance % 4 == 1) {
		expected = model->cert[n][m] ? 1 : 0;
		model->cert[n][m] = false;
		assert_int_equal(store->ops->cert_remove(store, TENANT, name_of(n), name_of(m),
		    &removed, &f), SG_OK);
		assert_int_equal(removed, expected);
	} else {
		assert_int_equal(store->ops->cert_put(store, TENANT, &row, &f), SG_OK);
		model->cert[n][m] = true;
	}
}

static void walk_mark(struct store *store, struct model *model, size_t n, uint32_t chance,
    int64_t now)
{
	struct store_mark row = {.tenant = TENANT, .sender = "", .source = "", .queue_id = "",
	    .message_id = "", .expires_ms = now + chance % 100};
	uint32_t removed = 0;
	uint32_t expected = 0;
	struct fail f;
	size_t i;

	if (chance % 2 == 0) {
		for (i = 0; i < WALK_NAMES; i++) {
			if (!model->mark[i] || model->expires[i] > now)
				continue;
			model->mark[i] = false;
			expected++;
		}
		assert_int_equal(store->ops->mark_purge(store, now, 1000, &removed, &f), SG_OK);
		assert_int_equal(removed, expected);
	} else if (!model->mark[n]) {
		row.id[0] = (unsigned char)n;
		assert_int_equal(store->ops->mark_put(store, &row, &f), SG_OK);
		model->mark[n] = true;
		model->expires[n] = row.expires_ms;
	}
}

static enum fail_code same_sealed(void *context, const struct store_secret *row, struct fail *f)
{
	(void)f;
	assert_int_equal(row->sealed_size, 1);
	assert_int_equal(row->sealed[0], *(const unsigned char *)context);
	return SG_OK;
}

static enum fail_code count_cert(void *context, const struct store_cert *cert, struct fail *f)
{
	(void)f;
	assert_non_null(cert->fingerprint);
	++*(size_t *)context;
	return SG_OK;
}

static enum fail_code any_mark(void *context, const struct store_mark *mark, struct fail *f)
{
	(void)f;
	*(int64_t *)context = mark->expires_ms;
	return SG_OK;
}

static void walk_compare(struct store *store, struct model *model)
{
	unsigned char id[STORE_ID_SIZE] = {0};
	struct store_cert_query query = {NULL, "", "", 100};
	size_t expected;
	size_t found;
	int64_t expires;
	struct fail f;
	size_t n;
	size_t m;

	for (n = 0; n < WALK_NAMES; n++) {
		assert_int_equal(store->ops->password_get(store, TENANT, name_of(n), same_sealed,
		    &model->sealed[n], &f), model->password[n] ? SG_OK : SG_ENOTFOUND);
		expected = 0;
		found = 0;
		for (m = 0; m < WALK_NAMES; m++)
			expected += model->cert[n][m] ? 1 : 0;
		query.address = name_of(n);
		assert_int_equal(store->ops->cert_list(store, TENANT, &query, count_cert, &found,
		    &f), SG_OK);
		assert_int_equal(found, expected);
		id[0] = (unsigned char)n;
		expires = 0;
		assert_int_equal(store->ops->mark_get(store, TENANT, id, any_mark, &expires, &f),
		    model->mark[n] ? SG_OK : SG_ENOTFOUND);
		assert_int_equal(expires, model->mark[n] ? model->expires[n] : 0);
		/* another tenant never sees any of it */
		assert_int_equal(store->ops->password_get(store, "", name_of(n), same_sealed, NULL,
		    &f), SG_ENOTFOUND);
	}
}

static void walks_like_its_model(void **state)
{
	struct place *place = *state;
	struct model *model = calloc(1, sizeof(*model));
	struct model before;
	uint32_t seed = 20261124;
	struct fail f;
	uint32_t chance;
	size_t step;
	size_t n;

	assert_non_null(model);
	open_store(place);
	for (step = 0; step < WALK_STEPS; step++) {
		before = *model;
		chance = walk_random(&seed);
		n = walk_random(&seed) % WALK_NAMES;
		assert_int_equal(place->store->ops->begin(place->store, &f), SG_OK);
		if (chance % 3 == 0)
			walk_password(place->store, model, n, chance / 3);
		else if (chance % 3 == 1)
			walk_cert(place->store, model, n, chance / 16 % WALK_NAMES, chance / 3);
		else
			walk_mark(place->store, model, n, chance / 3, (int64_t)step);
		if (walk_random(&seed) % 5 == 0) {
			place->store->ops->rollback(place->store);
			*model = before;
		} else {
			assert_int_equal(place->store->ops->commit(place->store, &f), SG_OK);
		}
		if (step % 50 == 0)
			walk_compare(place->store, model);
		if (step % 500 == 0)
			reopen(place);
	}
	walk_compare(place->store, model);
	free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(makes_a_file_for_its_owner_alone, place_make,
		    place_drop),
		cmocka_unit_test_setup_teardown(does_not_make_one_unasked, place_make, place_drop),
		cmocka_unit_test_setup_teardown(keeps_what_was_committed, place_make, place_drop),
		cmocka_unit_test_setup_teardown(forgets_what_was_rolled_back, place_make,
		    place_drop),
		cmocka_unit_test_setup_teardown(refuses_rows_of_an_unknown_tenant, place_make,
		    place_drop),
		cmocka_unit_test_setup_teardown(names_a_damaged_database, place_make, place_drop),
		cmocka_unit_test_setup_teardown(finds_damage_behind_the_head, place_make,
		    place_drop),
		cmocka_unit_test_setup_teardown(notices_that_its_file_is_gone, place_make,
		    place_drop),
		cmocka_unit_test_setup_teardown(notices_that_its_log_is_gone, place_make,
		    place_drop),
		cmocka_unit_test_setup_teardown(refuses_a_newer_schema, place_make, place_drop),
		cmocka_unit_test_setup_teardown(brings_a_first_schema_up_to_date, place_make,
		    place_drop),
		cmocka_unit_test_setup_teardown(forgets_what_waits_and_sessions_that_are_old,
		    place_make, place_drop),
		cmocka_unit_test_setup_teardown(goes_on_after_a_full_disk, place_make, place_drop),
		cmocka_unit_test_setup_teardown(says_when_its_disk_is_read_only, place_make,
		    place_drop),
		cmocka_unit_test_setup_teardown(walks_like_its_model, place_make, place_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
