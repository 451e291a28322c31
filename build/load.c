/* Finds functions of DuckDB's library, which it loads for the first of them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

void *promote_duckdb_function(const char *name) __attribute__((visibility("hidden")));

/* 4: something that promote needs is missing. No caller of DuckDB's interface can be told so. */
static void stop(void) {
    fprintf(stderr, "error: the DuckDB library cannot be used: %s\n", dlerror());
    fprintf(stderr, "hint: install it where the release puts it, in lib/promote beside bin, or name its folder in LD_LIBRARY_PATH\n");
    _exit(4);
}

void *promote_duckdb_function(const char *name) {
    /* Opening it again gives the same handle, so that two threads need no lock. It is looked for where the binary's
       run path says. It stays loaded. */
    void *library = dlopen("libduckdb.so", RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL) {
        stop();
    }
    void *function = dlsym(library, name);
    if (function == NULL) {
        stop();
    }
    return function;
}
