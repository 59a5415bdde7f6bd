/* A subscriber's transport-wide feedback, read and turned into a trend line, packet by packet.
 *
 * The reference is in Python: `TransportFeedback.from_body` (webrtc/rtp/transport_cc.py) and `Trendline`
 * (webrtc/estimation/trendline.py). A change there is a change here. Sums and products are in the order that Python
 * has them, so that both judge alike to the bit.
 */
#include "feedback.h"

#include <math.h>
#include <structmember.h>

/* -- reading */

#define BODY_SIZE 16 /* two SSRCs, base, number of statuses, reference time and number of the feedback */
#define RESERVED 3   /* of the four symbols; the others are the octets of their arrival */

/* A place in the chunks (draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1.3, 3.1.4). */
typedef struct {
    const uint8_t *body;
    Py_ssize_t size, at; /* of the body, and of the next chunk in it */
    uint32_t chunk;
    int symbols, width; /* left in this chunk, of so many bits each; a run has one, for `length` packets */
    long length;
} Chunks;

/* The next symbol, for how many packets; -1 where the body ends before. */
static int next_symbol(Chunks *self) {
    if (self->symbols == 0) {
        if (self->at + 2 > self->size)
            return -1;
        self->chunk = (uint32_t)self->body[self->at] << 8 | self->body[self->at + 1];
        self->at += 2;
        if (self->chunk < 0x8000) {
            self->length = self->chunk & 0x1FFF;
            return (int)(self->chunk >> 13);
        }
        self->length = 1;
        self->width = self->chunk < 0xC000 ? 1 : 2;
        self->symbols = 14 / self->width;
    }
    self->symbols--;
    return (int)(self->chunk >> self->symbols * self->width) & (self->width == 1 ? 1 : 3);
}

static PyObject *cut_off(const char *what) {
    PyErr_SetString(PyExc_IndexError, what);
    return NULL;
}

/* Put what is in `ticks` behind `runs` as a pair, and empty it; 0, or -1 with an exception. */
static int end_run(PyObject *runs, PyObject *ticks, long first) {
    PyObject *moments = PyList_AsTuple(ticks);
    PyObject *run = moments == NULL ? NULL : Py_BuildValue("(lN)", first, moments);
    int failed = run == NULL || PyList_Append(runs, run) < 0 || PyList_SetSlice(ticks, 0, PyList_GET_SIZE(ticks), NULL) < 0;
    Py_XDECREF(run);
    return failed ? -1 : 0;
}

/* The runs of arrivals that `chunks` announce, with their times from octet `at` on; 0, or -1 with an exception. */
static int read_runs(PyObject *runs, PyObject *ticks, Chunks chunks, long statuses, Py_ssize_t at) {
    const uint8_t *body = chunks.body;
    long last = 0, first = 0;
    for (long place = 0; place < statuses;) {
        int symbol = next_symbol(&chunks);
        long end = place + (chunks.length < statuses - place ? chunks.length : statuses - place);
        for (; symbol && place < end; place++) {
            last += symbol == 1 ? body[at] : (int16_t)(body[at] << 8 | body[at + 1]);
            at += symbol;
            if (PyList_GET_SIZE(ticks) && place != first + PyList_GET_SIZE(ticks) && end_run(runs, ticks, first) < 0)
                return -1;
            if (PyList_GET_SIZE(ticks) == 0)
                first = place;
            PyObject *moment = PyLong_FromLong(last);
            int failed = moment == NULL || PyList_Append(ticks, moment) < 0;
            Py_XDECREF(moment);
            if (failed)
                return -1;
        }
        place = end;
    }
    return PyList_GET_SIZE(ticks) ? end_run(runs, ticks, first) : 0;
}

const char read_feedback_doc[] = "read_feedback(body)\n--\n\n"
    "The fields of a `TransportFeedback` in their order, of what follows its RTCP header.\n"
    "Raises IndexError where something is cut off, or has a reserved status.";

PyObject *read_feedback(PyObject *self, PyObject *argument) {
    (void)self;
    if (!PyBytes_Check(argument)) {
        PyErr_SetString(PyExc_TypeError, "read_feedback(body: bytes)");
        return NULL;
    }
    const uint8_t *body = (const uint8_t *)PyBytes_AS_STRING(argument);
    Py_ssize_t size = PyBytes_GET_SIZE(argument), octets = 0;
    if (size < BODY_SIZE)
        return cut_off("transport-wide feedback is cut off");
    uint32_t word[4];
    for (int i = 0; i < 4; i++)
        word[i] = (uint32_t)body[4 * i] << 24 | (uint32_t)body[4 * i + 1] << 16 | (uint32_t)body[4 * i + 2] << 8 | body[4 * i + 3];
    long statuses = word[2] & 0xFFFF;
    const Chunks start = {.body = body, .size = size, .at = BODY_SIZE};
    Chunks chunks = start;
    for (long place = 0; place < statuses;) { /* counted before anything is unfolded: few octets can ask for much */
        int symbol = next_symbol(&chunks);
        if (symbol < 0)
            return cut_off("transport-wide feedback has fewer chunks than announced");
        long length = chunks.length < statuses - place ? chunks.length : statuses - place;
        if (symbol == RESERVED && length)
            return cut_off("transport-wide feedback with a reserved status");
        octets += symbol * length;
        place += length;
    }
    if (octets > size - chunks.at)
        return cut_off("transport-wide feedback with fewer arrivals than announced");
    PyObject *runs = PyList_New(0), *ticks = PyList_New(0), *found = NULL;
    if (runs != NULL && ticks != NULL && read_runs(runs, ticks, start, statuses, chunks.at) == 0)
        found = PyList_AsTuple(runs);
    Py_XDECREF(runs);
    Py_XDECREF(ticks);
    if (found == NULL)
        return NULL;
    return Py_BuildValue("(IIIlIIN)", word[0], word[1], word[2] >> 16, statuses, word[3] >> 8, word[3] & 0xFF, found);
}

/* -- Trendline */

/* As in webrtc/estimation/trendline.py. */
#define AT_ONCE_S 0.0005
#define BURST_S 0.005
#define MAX_BURST_S 0.1
#define WINDOW 20
#define SUM_AGAIN 256
#define SMOOTHING 0.9
#define GAIN 4.0
#define MAX_GROUPS 60
#define OVERUSE_S 0.01
#define THRESHOLD 12.5
#define LEAST_THRESHOLD 6.0
#define MOST_THRESHOLD 600.0
#define UP 8.7
#define DOWN 39.0
#define SPIKE 15.0
#define LONGEST_MOVE_S 0.1
#define HOLE_S 3.0
#define SAME_TIME 1e-6
#define NEVER (-INFINITY)

typedef struct {
    double x, y;
} Point;

enum { NORMAL, OVER, UNDER };

typedef struct {
    PyObject_HEAD
    PyObject *names[3]; /* what stands for the usages */
    int usage;
    double threshold;
    double first_sent, last_sent, first_arrived, last_arrived; /* of the group at hand */
    double sent_before, arrived_before;
    double begin, delay, smoothed;
    Point points[WINDOW]; /* a ring: the oldest at `groups % WINDOW` once it is full */
    int filled;
    double x, y, xx, xy;
    long groups;
    double trend, over_s, moved_at;
    long over_groups;
} Trendline;

static void restart(Trendline *self) {
    self->usage = NORMAL;
    self->first_sent = self->last_sent = self->first_arrived = self->last_arrived = NEVER;
    self->sent_before = self->arrived_before = NEVER;
    self->begin = self->delay = self->smoothed = 0.0;
    self->filled = 0;
    self->x = self->y = self->xx = self->xy = 0.0;
    self->groups = self->over_groups = 0;
    self->trend = 0.0;
    self->over_s = self->moved_at = NEVER;
}

static int trendline_init(Trendline *self, PyObject *args, PyObject *kwargs) {
    PyObject *names[3];
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "Trendline(normal, over, under)");
        return -1;
    }
    if (!PyArg_ParseTuple(args, "OOO:Trendline", &names[0], &names[1], &names[2]))
        return -1;
    for (int i = 0; i < 3; i++) {
        Py_INCREF(names[i]);
        Py_XSETREF(self->names[i], names[i]);
    }
    self->threshold = THRESHOLD;
    restart(self);
    return 0;
}

static void trendline_dealloc(Trendline *self) {
    for (int i = 0; i < 3; i++)
        Py_CLEAR(self->names[i]);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static void judge(Trendline *self, double apart, double now) {
    double before = self->trend, threshold = self->threshold;
    double spread = WINDOW * self->xx - self->x * self->x;
    self->trend = spread > SAME_TIME ? (WINDOW * self->xy - self->x * self->y) / spread : before;
    double scaled = (double)(self->groups < MAX_GROUPS ? self->groups : MAX_GROUPS) * self->trend * GAIN;
    if (scaled > threshold) {
        self->over_s = self->over_s < 0 ? apart / 2 : self->over_s + apart;
        self->over_groups++;
        if (self->over_s > OVERUSE_S && self->over_groups > 1 && self->trend >= before) {
            self->over_s = 0.0;
            self->over_groups = 0;
            self->usage = OVER;
        }
    } else {
        self->over_s = NEVER;
        self->over_groups = 0;
        self->usage = scaled < -threshold ? UNDER : NORMAL;
    }
    double size = fabs(scaled), elapsed = now - self->moved_at;
    self->moved_at = now;
    if (size <= threshold + SPIKE && 0 < elapsed && elapsed < INFINITY) {
        double longest = elapsed < LONGEST_MOVE_S ? elapsed : LONGEST_MOVE_S;
        double moved = threshold + (size < threshold ? DOWN : UP) * (size - threshold) * longest;
        self->threshold = moved < LEAST_THRESHOLD ? LEAST_THRESHOLD : moved > MOST_THRESHOLD ? MOST_THRESHOLD : moved;
    }
}

/* Begin the sums again near zero, before rounding makes them wrong. */
static void sum_again(Trendline *self, long oldest) {
    double begin = self->points[oldest % WINDOW].x;
    self->begin += begin;
    self->x = self->y = self->xx = self->xy = 0.0;
    for (long i = oldest; i < oldest + WINDOW; i++) {
        Point *each = &self->points[i % WINDOW];
        each->x -= begin;
        self->x += each->x;
        self->y += each->y;
        self->xx += each->x * each->x;
        self->xy += each->x * each->y;
    }
}

/* Count the group whose last packet was sent, and arrived, then. */
static void close_group(Trendline *self, double last_sent, double last_arrived) {
    double apart = last_sent - self->sent_before, later = last_arrived - self->arrived_before;
    self->sent_before = last_sent;
    self->arrived_before = last_arrived;
    if (!(apart < INFINITY)) /* it is the first one, or the one before the first */
        return;
    self->groups++;
    self->delay += later - apart;
    self->smoothed = SMOOTHING * self->smoothed + (1 - SMOOTHING) * self->delay;
    Point new = {last_arrived - self->begin, self->smoothed};
    Point *place = &self->points[(self->groups - 1) % WINDOW], old = *place;
    *place = new;
    self->x += new.x;
    self->y += new.y;
    self->xx += new.x * new.x;
    self->xy += new.x * new.y;
    if (self->filled < WINDOW) {
        if (++self->filled == WINDOW)
            judge(self, apart, last_arrived);
        return;
    }
    self->x -= old.x;
    self->y -= old.y;
    self->xx -= old.x * old.x;
    self->xy -= old.x * old.y;
    if (self->groups % SUM_AGAIN == 0)
        sum_again(self, self->groups);
    judge(self, apart, last_arrived);
}

/* Count a burst. */
static void take_burst(Trendline *self, double sent, double arrived) {
    if (sent < self->first_sent)
        return;
    double apart = arrived - self->last_arrived;
    if (sent - self->first_sent <= BURST_S ||
        (apart <= BURST_S && apart < sent - self->last_sent && arrived - self->first_arrived < MAX_BURST_S)) {
        if (sent > self->last_sent)
            self->last_sent = sent;
        if (arrived > self->last_arrived)
            self->last_arrived = arrived;
        return;
    }
    double pause = sent - self->last_sent;
    close_group(self, self->last_sent, self->last_arrived);
    if (pause > HOLE_S) {
        restart(self);
        self->begin = arrived;
    }
    self->first_sent = self->last_sent = sent;
    self->first_arrived = self->last_arrived = arrived;
}

const Burst NO_BURST = {NEVER, NEVER};

void end_burst(PyObject *trendline, const Burst *burst) {
    if (burst->began > NEVER)
        take_burst((Trendline *)trendline, burst->began, burst->last);
}

void count_packet(PyObject *trendline, Burst *burst, double sent, double arrived) {
    if (!(0 <= sent - burst->began && sent - burst->began <= AT_ONCE_S)) {
        end_burst(trendline, burst);
        *burst = (Burst){sent, arrived};
    } else if (arrived > burst->last) {
        burst->last = arrived;
    }
}

PyDoc_STRVAR(take_doc, "take(sent, arrived)\n--\n\nCount packets: see `Trendline.take` in webrtc/estimation/trendline.py.");

static PyObject *trendline_take(Trendline *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !PyList_Check(args[0]) || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "take(sent: list[float], arrived: list[float])");
        return NULL;
    }
    if (PyList_GET_SIZE(args[0]) != PyList_GET_SIZE(args[1])) {
        PyErr_SetString(PyExc_ValueError, "as many packets arrived as were sent");
        return NULL;
    }
    Burst burst = NO_BURST;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(args[0]); i++) {
        PyObject *sent = PyList_GET_ITEM(args[0], i), *arrived = PyList_GET_ITEM(args[1], i);
        if (!PyFloat_Check(sent) || !PyFloat_Check(arrived)) {
            PyErr_SetString(PyExc_TypeError, "times are floats");
            return NULL;
        }
        count_packet((PyObject *)self, &burst, PyFloat_AS_DOUBLE(sent), PyFloat_AS_DOUBLE(arrived));
    }
    end_burst((PyObject *)self, &burst);
    Py_RETURN_NONE;
}

static PyObject *trendline_restart(Trendline *self, PyObject *none) {
    (void)none;
    restart(self);
    Py_RETURN_NONE;
}

static PyObject *trendline_usage(Trendline *self, void *closure) {
    (void)closure;
    PyObject *name = self->names[self->usage];
    if (name == NULL)
        PyErr_SetString(PyExc_RuntimeError, "not initialised");
    Py_XINCREF(name);
    return name;
}

static PyMethodDef trendline_methods[] = {
    {"take", (PyCFunction)(void (*)(void))trendline_take, METH_FASTCALL, take_doc},
    {"restart", (PyCFunction)trendline_restart, METH_NOARGS, "Forget the packets; the threshold stays."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef trendline_properties[] = {
    {"usage", (getter)trendline_usage, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject TrendlineType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "nhipcau_fast.Trendline",
    .tp_doc = "Whether a queue grows on the way: see webrtc/estimation/trendline.py. What stands for the usages is given to it.",
    .tp_basicsize = sizeof(Trendline),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)trendline_init,
    .tp_dealloc = (destructor)trendline_dealloc,
    .tp_getset = trendline_properties,
    .tp_methods = trendline_methods,
};
