/* A driver library without a driver: answers the NVML calls that the program makes from a text file.

   NVML_STUB_STATE names the file; it is read again at every call, so a test changes the machine while it runs.
   Without the variable, or without the file, the answer is "driver not loaded". One fact a line:

     init CODE                       nvmlInit fails with this code
     driver VERSION
     gpu KEY=VALUE ...               total, used, reserved (MiB), name (_ for a space), uuid, handle_error,
                                     memory_error, memory_v2_error, process_error, mig (1: MIG mode is on),
                                     energy (millijoules since the driver came up; without it, not supported)
     mig KEY=VALUE ...               an instance of the GPU above, with the same keys
     process PID MIB [WORD ...]      on the GPU or instance above; its memory adds to `used`
     graphics PID MIB [WORD ...]     the same in the list of graphics programs (memory counted once a pid)

   Words: `hidden` - the driver does not say how much; `while_alive` - only as long as the process lives.  */

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default")))
#define MIB 1048576ULL
#define MOST 16

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, NOT_LOADED = 9 };

typedef struct { unsigned pid; unsigned long long used; unsigned gpu_instance, compute_instance; } Info;
typedef struct { unsigned pid; unsigned long long mib; int graphics, hidden; } Process;
typedef struct {
    int parent; /* -1 for a GPU, else the place of the GPU this instance belongs to */
    char name[96], uuid[96];
    unsigned long long total, used, reserved;
    int handle_error, memory_error, memory_v2_error, process_error, mig, counts_energy;
    unsigned long long energy;
    int processes;
    Process process[MOST];
} Card;
typedef struct { int init, cards; char driver[80]; Card card[MOST]; } State;

API atomic_int nvml_stub_inits = 0, nvml_stub_shutdowns = 0;

static void set(Card *card, char *word) {
    char *value = strchr(word, '=');
    if (!value) return;
    *value++ = 0;
    if (!strcmp(word, "name")) {
        snprintf(card->name, sizeof card->name, "%s", value);
        for (char *c = card->name; *c; c++) if (*c == '_') *c = ' ';
    } else if (!strcmp(word, "uuid")) snprintf(card->uuid, sizeof card->uuid, "%s", value);
    else if (!strcmp(word, "total")) card->total = strtoull(value, NULL, 10);
    else if (!strcmp(word, "used")) card->used = strtoull(value, NULL, 10);
    else if (!strcmp(word, "reserved")) card->reserved = strtoull(value, NULL, 10);
    else if (!strcmp(word, "handle_error")) card->handle_error = atoi(value);
    else if (!strcmp(word, "memory_error")) card->memory_error = atoi(value);
    else if (!strcmp(word, "memory_v2_error")) card->memory_v2_error = atoi(value);
    else if (!strcmp(word, "process_error")) card->process_error = atoi(value);
    else if (!strcmp(word, "mig")) card->mig = atoi(value);
    else if (!strcmp(word, "energy")) card->counts_energy = 1, card->energy = strtoull(value, NULL, 10);
}

/* A process that ended has given its memory back also before its parent collects it. */
static int is_alive(const char *pid) {
    char path[64], line[512] = "", *state;
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    state = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    fclose(file);
    return state && state[2] != 'Z' && state[2] != 'X';
}

static void add_process(Card *card, int graphics, char **rest) {
    char *pid = strtok_r(NULL, " \n", rest), *mib = strtok_r(NULL, " \n", rest), *word;
    if (!pid || !mib || card->processes == MOST) return;
    Process process = {(unsigned)strtoul(pid, NULL, 10), strtoull(mib, NULL, 10), graphics, 0};
    while ((word = strtok_r(NULL, " \n", rest))) {
        if (!strcmp(word, "hidden")) process.hidden = 1;
        if (!strcmp(word, "while_alive") && !is_alive(pid)) return;
    }
    card->process[card->processes++] = process;
}

static void read_state(State *state) {
    memset(state, 0, sizeof *state);
    state->init = NOT_LOADED;
    const char *path = getenv("NVML_STUB_STATE");
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!file) return;
    state->init = OK;
    strcpy(state->driver, "595.42.01");
    char line[1024];
    int gpu = -1;
    while (fgets(line, sizeof line, file)) {
        char *rest, *verb = strtok_r(line, " \n", &rest), *word;
        Card *last = state->cards ? &state->card[state->cards - 1] : NULL;
        if (!verb) continue;
        if (!strcmp(verb, "init") && (word = strtok_r(NULL, " \n", &rest))) state->init = atoi(word);
        else if (!strcmp(verb, "driver") && (word = strtok_r(NULL, " \n", &rest)))
            snprintf(state->driver, sizeof state->driver, "%s", word);
        else if ((!strcmp(verb, "gpu") || !strcmp(verb, "mig")) && state->cards < MOST) {
            Card *card = &state->card[state->cards];
            card->parent = *verb == 'm' ? gpu : -1;
            if (*verb == 'g') gpu = state->cards;
            state->cards++;
            while ((word = strtok_r(NULL, " \n", &rest))) set(card, word);
        } else if (last && !strcmp(verb, "process")) add_process(last, 0, &rest);
        else if (last && !strcmp(verb, "graphics")) add_process(last, 1, &rest);
    }
    fclose(file);
}

/* A handle is the place of the card in the file, plus one. */
static int find(void *handle, State *state, Card **card) {
    if (nvml_stub_inits <= nvml_stub_shutdowns) return UNINITIALIZED;
    read_state(state);
    if (state->init != OK) return state->init;
    uintptr_t place = (uintptr_t)handle;
    if (place < 1 || place > (uintptr_t)state->cards) return INVALID;
    *card = &state->card[place - 1];
    return OK;
}

static int nth(int parent, unsigned index, void **handle) {
    State state;
    read_state(&state);
    for (int i = 0; i < state.cards; i++)
        if (state.card[i].parent == parent && index-- == 0) {
            *handle = (void *)(uintptr_t)(i + 1);
            return state.card[i].handle_error;
        }
    return NOT_FOUND;
}

static int text(char *to, unsigned size, const char *from) {
    return (unsigned)snprintf(to, size, "%s", from) < size ? OK : TOO_SMALL;
}

API int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    State state;
    read_state(&state);
    if (state.init == OK) nvml_stub_inits++;
    return state.init;
}

API int nvmlShutdown(void) {
    if (nvml_stub_inits <= nvml_stub_shutdowns) return UNINITIALIZED;
    nvml_stub_shutdowns++;
    return OK;
}

API const char *nvmlErrorString(int code) {
    (void)code;
    return "an error of the stub";
}

API int nvmlSystemGetDriverVersion(char *version, unsigned size) {
    State state;
    read_state(&state);
    return text(version, size, state.driver);
}

API int nvmlDeviceGetCount_v2(unsigned *count) {
    State state;
    read_state(&state);
    *count = 0;
    for (int i = 0; i < state.cards; i++) *count += state.card[i].parent < 0;
    return state.init;
}

API int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) { return nth(-1, index, handle); }

API int nvmlDeviceGetName(void *handle, char *name, unsigned size) {
    State state;
    Card *card;
    int code = find(handle, &state, &card);
    return code ? code : text(name, size, card->name);
}

API int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned size) {
    State state;
    Card *card;
    int code = find(handle, &state, &card);
    return code ? code : text(uuid, size, card->uuid);
}

API int nvmlDeviceGetMigMode(void *handle, unsigned *current, unsigned *pending) {
    State state;
    Card *card;
    int code = find(handle, &state, &card);
    if (code) return code;
    *current = *pending = (unsigned)card->mig;
    return card->mig ? OK : NOT_SUPPORTED;
}

API int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned *count) {
    State state;
    Card *card;
    *count = 7;
    return find(handle, &state, &card);
}

API int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned index, void **instance) {
    return nth((int)(uintptr_t)handle - 1, index, instance);
}

static unsigned long long used(const Card *card) {
    unsigned long long mib = card->used;
    for (int i = 0; i < card->processes; i++) {
        int seen = 0;
        for (int j = 0; j < i; j++) seen |= card->process[j].pid == card->process[i].pid;
        if (!seen) mib += card->process[i].mib;
    }
    return mib;
}

API int nvmlDeviceGetMemoryInfo(void *handle, unsigned long long *memory) {
    State state;
    Card *card;
    int code = find(handle, &state, &card);
    if (code || (code = card->memory_error)) return code;
    memory[0] = card->total * MIB;
    memory[2] = (used(card) + card->reserved) * MIB;
    memory[1] = memory[0] - memory[2];
    return OK;
}

API int nvmlDeviceGetMemoryInfo_v2(void *handle, unsigned long long *memory) {
    State state;
    Card *card;
    int code = find(handle, &state, &card);
    if (code || (code = card->memory_v2_error) || (code = card->memory_error)) return code;
    memory[1] = card->total * MIB; /* memory[0] holds the version */
    memory[2] = card->reserved * MIB;
    memory[4] = used(card) * MIB;
    memory[3] = memory[1] - memory[2] - memory[4];
    return OK;
}

API int nvmlDeviceGetTotalEnergyConsumption(void *handle, unsigned long long *millijoules) {
    State state;
    Card *card;
    int code = find(handle, &state, &card);
    if (code) return code;
    *millijoules = card->energy;
    return card->counts_energy ? OK : NOT_SUPPORTED;
}

static int list(void *handle, int graphics, unsigned *count, Info *infos) {
    State state;
    Card *card;
    int code = find(handle, &state, &card);
    if (code || (code = card->process_error)) return code;
    unsigned room = infos ? *count : 0, found = 0;
    for (int i = 0; i < card->processes; i++) {
        const Process *process = &card->process[i];
        if (process->graphics != graphics) continue;
        if (found < room) {
            infos[found].pid = process->pid;
            infos[found].used = process->hidden ? ~0ULL : process->mib * MIB;
            infos[found].gpu_instance = infos[found].compute_instance = ~0U;
        }
        found++;
    }
    *count = found;
    return found > room ? TOO_SMALL : OK;
}

API int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, Info *infos) {
    return list(handle, 0, count, infos);
}

API int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, Info *infos) {
    return list(handle, 1, count, infos);
}
