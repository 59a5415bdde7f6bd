/* The hot path of a bridge node in C: one packet, rewritten, protected and sent to all its subscribers.
 *
 * The reference is in Python: `Outlet` (webrtc/forwarding/outlet.py), `SentPackets` (webrtc/estimation/sent.py) and
 * `Forwarder.send` (webrtc/forwarding/forward.py). A change there is a change here, and in INTERFACE. SRTP stays where
 * it is: `protect` is the address of pylibsrtp's own srtp_protect, and the contexts are its own, so that no two
 * implementations ever number or encrypt the same stream.
 *
 * The GIL is held throughout: nothing here waits (the sockets are non-blocking), and what is pointed to cannot change.
 *
 * Between `hold` and `flush` datagrams gather. Those of equal size to one subscriber become one message that the kernel
 * cuts up (UDP_SEGMENT of udp(7), Linux 4.18): it then looks up the route and the socket once for all of them.
 */
#define _GNU_SOURCE
#include "feedback.h"
#include "receive.h"

#include <structmember.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#define INTERFACE 6 /* what webrtc/forwarding/fast.py asks for: the shape of routes, and the names below */
#define HISTORY 4096 /* packets whose sending is remembered; a power of two */
#define RING (HISTORY - 1)
#define TICKS 4000 /* of arrival times, in a second: see webrtc/rtp/transport_cc.py */
#define BATCH 128 /* datagrams in one system call */
#define SEGMENTS 8 /* of them in one message */
#define ROOM 2048 /* octets for one of them: */
#define MAX_PACKET 1600 /* a plain one, the header extension (8), and what SRTP may append (144) */

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define HEADER_SIZE 12
#define EXTENDED_SIZE 20
#define PICTURE_ID_AT 2 /* octets into a VP8 payload */
#define TL0PICIDX_AT 4

typedef int (*protect_function)(void *context, void *packet, int *length);

static void put16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value) {
    put16(at, value >> 16);
    put16(at + 2, value);
}

static uint32_t get32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* -- Outlet: where one subscriber's packets leave */

typedef struct {
    PyObject_HEAD
    long long dropped, octets, sequence;
    long long extension; /* id and length of the one element, in their place in the word; 0 for none */
    char timed;
    PyObject *keys;      /* held, because `srtp` lives as long as they do */
    PyObject *context;   /* the same for Python */
    void *srtp;          /* NULL until it is open */
    PyObject *sendto, *address;
    PyObject *socket;    /* NULL where the path is no UDP socket: then `sendto` is called */
    struct sockaddr_storage name;
    socklen_t name_size;
    char uncut;          /* the path takes no messages to be cut up */
    unsigned int open;   /* the message that may get another datagram; it may be another outlet's, or none */
    double times[HISTORY];
    uint16_t sizes[HISTORY];
} Outlet;

static PyTypeObject OutletType;

static int outlet_init(Outlet *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"transport_cc", "send_time", NULL};
    unsigned int transport_cc = 0, send_time = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$II:Outlet", names, &transport_cc, &send_time))
        return -1;
    if (transport_cc > 14 || send_time > 14) {
        PyErr_SetString(PyExc_ValueError, "the id of a one-byte header extension is 0 to 14");
        return -1;
    }
    self->timed = !transport_cc && send_time;
    self->extension = transport_cc ? (long long)(transport_cc << 4 | 1) << 24
                      : send_time  ? (long long)(send_time << 4 | 2) << 24
                                   : 0;
    return 0;
}

static int outlet_traverse(Outlet *self, visitproc visit, void *arg) {
    Py_VISIT(self->keys);
    Py_VISIT(self->context);
    Py_VISIT(self->sendto);
    Py_VISIT(self->address);
    Py_VISIT(self->socket);
    return 0;
}

static int outlet_clear(Outlet *self) {
    self->srtp = NULL; /* before the keys that it belongs to */
    Py_CLEAR(self->keys);
    Py_CLEAR(self->context);
    Py_CLEAR(self->sendto);
    Py_CLEAR(self->address);
    Py_CLEAR(self->socket);
    return 0;
}

static void outlet_dealloc(Outlet *self) {
    PyObject_GC_UnTrack(self);
    outlet_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* Fill in `name` from an address as `recvfrom` gives it; 0 if it is none of UDP. */
static int read_name(Outlet *self, PyObject *address) {
    const char *host;
    int port;
    unsigned int flow = 0, scope = 0;
    memset(&self->name, 0, sizeof self->name);
    if (PyTuple_Check(address) && PyArg_ParseTuple(address, "si|II", &host, &port, &flow, &scope) && port >= 0 &&
        port <= 0xFFFF) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)&self->name;
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&self->name;
        char plain[INET6_ADDRSTRLEN] = "";
        size_t length = strcspn(host, "%"); /* a link-local address may have its scope's name behind it */
        if (length < sizeof plain)
            memcpy(plain, host, length);
        if (PyTuple_GET_SIZE(address) == 2 && inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
            v4->sin_family = AF_INET;
            v4->sin_port = htons((uint16_t)port);
            self->name_size = sizeof *v4;
            return 1;
        }
        if (PyTuple_GET_SIZE(address) == 4 && inet_pton(AF_INET6, plain, &v6->sin6_addr) == 1) {
            v6->sin6_family = AF_INET6;
            v6->sin6_port = htons((uint16_t)port);
            v6->sin6_flowinfo = htonl(flow);
            v6->sin6_scope_id = scope;
            self->name_size = sizeof *v6;
            return 1;
        }
    }
    PyErr_Clear();
    return 0;
}

PyDoc_STRVAR(attach_doc, "attach(keys, context, pointer)\n--\n\n"
    "Protect with the context at the address `pointer`, which lives as long as `keys`.");

static PyObject *outlet_attach(Outlet *self, PyObject *args) {
    PyObject *keys, *context, *pointer;
    if (!PyArg_ParseTuple(args, "OOO!:attach", &keys, &context, &PyLong_Type, &pointer))
        return NULL;
    void *srtp = PyLong_AsVoidPtr(pointer);
    if (srtp == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "a context at address 0");
        return NULL;
    }
    self->srtp = srtp;
    Py_INCREF(keys);
    Py_XSETREF(self->keys, keys);
    Py_INCREF(context);
    Py_XSETREF(self->context, context);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(direct_doc, "direct(sendto, address, socket)\n--\n\n"
    "Send to `address` from now on: by `socket` where that is not None and the address is one of UDP, else by `sendto`.");

static PyObject *outlet_direct(Outlet *self, PyObject *args) {
    PyObject *sendto, *address, *socket;
    if (!PyArg_ParseTuple(args, "OOO:direct", &sendto, &address, &socket))
        return NULL;
    if (socket == Py_None || !read_name(self, address))
        socket = NULL;
    self->uncut = 0;
    Py_INCREF(sendto);
    Py_XSETREF(self->sendto, sendto);
    Py_INCREF(address);
    Py_XSETREF(self->address, address);
    Py_XINCREF(socket);
    Py_XSETREF(self->socket, socket);
    Py_RETURN_NONE;
}

static uint32_t word_at(const Outlet *self, double now) {
    if (self->timed) /* abs-send-time: seconds in 6.18 fixed point */
        return (uint32_t)self->extension | ((uint32_t)(int64_t)(now * (1 << 18)) & 0xFFFFFF);
    return (uint32_t)self->extension | ((uint32_t)self->sequence & 0xFFFF) << 8;
}

static void note_sent(Outlet *self, int size, double now) {
    size_t at = (size_t)self->sequence & RING;
    self->times[at] = now;
    self->sizes[at] = (uint16_t)size;
    self->sequence++;
    self->octets += size;
}

static PyObject *outlet_word(Outlet *self, PyObject *argument) {
    double now = PyFloat_AsDouble(argument);
    if (now == -1.0 && PyErr_Occurred())
        return NULL;
    return PyLong_FromUnsignedLong(word_at(self, now));
}

static PyObject *outlet_note(Outlet *self, PyObject *args) {
    int size;
    double now;
    if (!PyArg_ParseTuple(args, "id:note", &size, &now))
        return NULL;
    if (size < 0 || size > 0xFFFF) {
        PyErr_SetString(PyExc_ValueError, "the size of a packet is 0 to 65535");
        return NULL;
    }
    note_sent(self, size, now);
    Py_RETURN_NONE;
}

/* How many of `count` packets from the 16-bit `sequence` on are known; `*back`: how far back the first one is. */
static long long known(const Outlet *self, long sequence, long long count, long long *back) {
    *back = (self->sequence - sequence) & 0xFFFF;
    if (*back > HISTORY || *back > self->sequence || count < 0)
        return 0;
    return count < *back ? count : *back;
}

/* As `SentPackets.sent` of webrtc/estimation/sent.py: two lists. */
static PyObject *outlet_sent(Outlet *self, PyObject *args) {
    long sequence, count;
    if (!PyArg_ParseTuple(args, "ll:sent", &sequence, &count))
        return NULL;
    long long back;
    Py_ssize_t length = (Py_ssize_t)known(self, sequence, count, &back);
    PyObject *times = PyList_New(length), *sizes = PyList_New(length);
    for (Py_ssize_t i = 0; times != NULL && sizes != NULL && i < length; i++) {
        size_t at = (size_t)(self->sequence - back + i) & RING;
        PyObject *time = PyFloat_FromDouble(self->times[at]), *size = PyLong_FromLong(self->sizes[at]);
        PyList_SET_ITEM(times, i, time);
        PyList_SET_ITEM(sizes, i, size);
        if (time == NULL || size == NULL)
            Py_CLEAR(times);
    }
    if (times == NULL || sizes == NULL) {
        Py_XDECREF(times);
        Py_XDECREF(sizes);
        return NULL;
    }
    return Py_BuildValue("NN", times, sizes);
}

PyDoc_STRVAR(acked_doc, "acked(sequence, ticks, zero, trend)\n--\n\n"
    "The fields of an `Acked` in their order: see `SentPackets.acked` in webrtc/estimation/sent.py.");

static PyObject *outlet_acked(Outlet *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 4 || !PyLong_Check(args[0]) || !PyTuple_Check(args[1]) || !PyLong_Check(args[2]) ||
        (args[3] != Py_None && !PyObject_TypeCheck(args[3], &TrendlineType))) {
        PyErr_SetString(PyExc_TypeError, "acked(sequence: int, ticks: tuple, zero: int, trend: Trendline | None)");
        return NULL;
    }
    long sequence = PyLong_AsLong(args[0]);
    long long zero = PyLong_AsLongLong(args[2]), back;
    if ((sequence == -1 || zero == -1) && PyErr_Occurred())
        return NULL;
    long long packets = known(self, sequence, PyTuple_GET_SIZE(args[1]), &back), octets = 0;
    if (packets == 0)
        Py_RETURN_NONE;
    double first_sent = 0, last_sent = 0, first_arrived = 0, last_arrived = 0, latest = 0;
    Burst burst = NO_BURST;
    for (long long i = 0; i < packets; i++) {
        size_t at = (size_t)(self->sequence - back + i) & RING;
        long long ticks = PyLong_AsLongLong(PyTuple_GET_ITEM(args[1], i));
        if (ticks == -1 && PyErr_Occurred())
            return NULL;
        last_sent = self->times[at];
        last_arrived = ((double)zero + (double)ticks) / TICKS; /* both are small: the sum is exact */
        if (i == 0) {
            first_sent = last_sent;
            first_arrived = latest = last_arrived;
        }
        latest = last_arrived > latest ? last_arrived : latest;
        octets += self->sizes[at];
        if (args[3] != Py_None)
            count_packet(args[3], &burst, last_sent, last_arrived);
    }
    if (args[3] != Py_None)
        end_burst(args[3], &burst);
    return Py_BuildValue("LLddddd", packets, octets, first_sent, last_sent, first_arrived, last_arrived, latest);
}

static PyObject *outlet_last_sent(Outlet *self, void *closure) {
    (void)closure;
    return PyFloat_FromDouble(self->times[(size_t)(self->sequence - 1) & RING]);
}

static PyMemberDef outlet_members[] = {
    {"dropped", T_LONGLONG, offsetof(Outlet, dropped), 0, NULL},
    {"octets", T_LONGLONG, offsetof(Outlet, octets), READONLY, NULL},
    {"sequence", T_LONGLONG, offsetof(Outlet, sequence), READONLY, NULL},
    {"extension", T_LONGLONG, offsetof(Outlet, extension), READONLY, NULL},
    {"timed", T_BOOL, offsetof(Outlet, timed), READONLY, NULL},
    {"context", T_OBJECT_EX, offsetof(Outlet, context), READONLY, NULL},
    {"sendto", T_OBJECT_EX, offsetof(Outlet, sendto), READONLY, NULL},
    {"address", T_OBJECT_EX, offsetof(Outlet, address), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef outlet_properties[] = {
    {"last_sent", (getter)outlet_last_sent, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef outlet_methods[] = {
    {"attach", (PyCFunction)outlet_attach, METH_VARARGS, attach_doc},
    {"direct", (PyCFunction)outlet_direct, METH_VARARGS, direct_doc},
    {"word", (PyCFunction)outlet_word, METH_O, NULL},
    {"note", (PyCFunction)outlet_note, METH_VARARGS, NULL},
    {"sent", (PyCFunction)outlet_sent, METH_VARARGS, NULL},
    {"acked", (PyCFunction)(void (*)(void))outlet_acked, METH_FASTCALL, acked_doc},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject OutletType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "nhipcau_fast.Outlet",
    .tp_doc = "The data of one subscriber's outlet: see webrtc/forwarding/outlet.py.",
    .tp_basicsize = sizeof(Outlet),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)outlet_init,
    .tp_dealloc = (destructor)outlet_dealloc,
    .tp_traverse = (traverseproc)outlet_traverse,
    .tp_clear = (inquiry)outlet_clear,
    .tp_members = outlet_members,
    .tp_getset = outlet_properties,
    .tp_methods = outlet_methods,
};

/* -- Forwarder: what all routes of a node leave through */

/* One or more datagrams for one subscriber: all but the last of the same size. */
typedef struct {
    Outlet *outlet; /* a reference of ours */
    size_t size;
    unsigned int segments;
    struct iovec vectors[SEGMENTS];
    union {
        struct cmsghdr header; /* for its alignment */
        char octets[CMSG_SPACE(sizeof(uint16_t))];
    } control;
} Message;

typedef struct {
    PyObject_HEAD
    protect_function protect;
    char busy, held;
    unsigned int pending, waiting; /* datagrams, and messages made of them, that wait for `flush`, */
    PyObject *socket;              /* all for this socket: a reference of ours while there are any */
    Message messages[BATCH];
    struct mmsghdr headers[BATCH];
    uint8_t datagrams[BATCH][ROOM];
} Forwarder;

static int forwarder_init(Forwarder *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"protect", NULL};
    PyObject *address;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!:Forwarder", names, &PyLong_Type, &address))
        return -1;
    void *pointer = PyLong_AsVoidPtr(address);
    if (pointer == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "a function at address 0");
        return -1;
    }
    memcpy(&self->protect, &pointer, sizeof pointer); /* POSIX has the two kinds of pointers alike; ISO C does not */
    return 0;
}

/* Forget what is pending. */
static void forwarder_clear(Forwarder *self) {
    unsigned int waiting = self->waiting;
    self->waiting = self->pending = 0;
    for (unsigned int i = 0; i < waiting; i++)
        Py_CLEAR(self->messages[i].outlet);
    Py_CLEAR(self->socket);
}

static void forwarder_dealloc(Forwarder *self) {
    forwarder_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* Queue a datagram that lies in the forwarder's own buffer. */
static void append(Forwarder *self, Outlet *outlet, uint8_t *datagram, size_t size) {
    struct iovec vector = {.iov_base = datagram, .iov_len = size};
    Message *message = &self->messages[outlet->open];
    self->pending++;
    if (outlet->open < self->waiting && message->outlet == outlet && message->segments < SEGMENTS &&
        size <= message->size && message->vectors[message->segments - 1].iov_len == message->size && !outlet->uncut) {
        message->vectors[message->segments++] = vector;
        return;
    }
    outlet->open = self->waiting;
    message = &self->messages[self->waiting++];
    Py_INCREF(outlet);
    message->outlet = outlet;
    message->size = size;
    message->segments = 1;
    message->vectors[0] = vector;
}

static void write_header(Message *message, struct msghdr *header) {
    *header = (struct msghdr){
        .msg_name = &message->outlet->name,
        .msg_namelen = message->outlet->name_size,
        .msg_iov = message->vectors,
        .msg_iovlen = message->segments,
    };
    if (message->segments > 1) {
        uint16_t size = (uint16_t)message->size;
        header->msg_control = &message->control;
        header->msg_controllen = sizeof message->control;
        struct cmsghdr *control = CMSG_FIRSTHDR(header);
        *control = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof size), .cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT};
        memcpy(CMSG_DATA(control), &size, sizeof size);
    }
}

/* What the kernel did not take as one message, one by one. */
static void send_apart(int descriptor, Message *message) {
    Outlet *outlet = message->outlet;
    for (unsigned int i = 0; i < message->segments; i++) {
        struct iovec *each = &message->vectors[i];
        struct sockaddr *name = (struct sockaddr *)&outlet->name;
        if (sendto(descriptor, each->iov_base, each->iov_len, MSG_DONTWAIT, name, outlet->name_size) < 0)
            outlet->dropped++;
    }
}

/* Send what is pending. What the kernel does not take is dropped, one by one, as if each were sent alone. */
static void flush(Forwarder *self) {
    PyObject *type, *value, *traceback;
    unsigned int done = 0, waiting = self->waiting;
    if (waiting == 0)
        return;
    PyErr_Fetch(&type, &value, &traceback);
    int descriptor = PyObject_AsFileDescriptor(self->socket); /* asked each time: it may have been closed */
    if (descriptor < 0)
        PyErr_Clear();
    for (unsigned int i = 0; i < waiting; i++)
        write_header(&self->messages[i], &self->headers[i].msg_hdr);
    while (done < waiting) {
        Message *message = &self->messages[done];
        int sent = descriptor < 0 ? -1 : sendmmsg(descriptor, self->headers + done, waiting - done, MSG_DONTWAIT);
        if (sent > 0) {
            done += (unsigned int)sent;
        } else if (descriptor < 0 || errno != EINTR) {
            if (descriptor >= 0 && message->segments > 1 && errno != EAGAIN && errno != ENOBUFS) {
                message->outlet->uncut = 1; /* an old kernel, or a device without checksums of its own */
                send_apart(descriptor, message);
            } else {
                message->outlet->dropped += message->segments;
            }
            done++;
        }
    }
    forwarder_clear(self);
    PyErr_Restore(type, value, traceback);
}

/* By the path's own `sendto`; 0, or -1 with an exception that is no OSError. */
static int send_by_call(Outlet *outlet, const uint8_t *datagram, int size) {
    PyObject *octets = PyBytes_FromStringAndSize((const char *)datagram, size);
    if (octets == NULL)
        return -1;
    PyObject *sendto = outlet->sendto, *address = outlet->address; /* which the call may replace */
    Py_XINCREF(sendto);
    Py_XINCREF(address);
    PyObject *result = sendto == NULL ? NULL : PyObject_CallFunctionObjArgs(sendto, octets, address, NULL);
    Py_XDECREF(sendto);
    Py_XDECREF(address);
    Py_DECREF(octets);
    if (result == NULL) {
        if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_OSError))
            return -1;
        PyErr_Clear();
        outlet->dropped++;
        return 0;
    }
    Py_DECREF(result);
    return 0;
}

typedef struct {
    const uint8_t *octets;
    int size;
    long long number, picture_id, tl0picidx;
    double now;
} Packet;

/* The packet as it goes along a route, plain, at `datagram`; its size. `field`: the route's numbers in their order. */
static int rewrite(uint8_t *datagram, const Packet *packet, const long long field[7], const Outlet *outlet) {
    int start = outlet->extension ? EXTENDED_SIZE : HEADER_SIZE;
    int size = start + packet->size - HEADER_SIZE;
    datagram[0] = outlet->extension ? 0x90 : 0x80;
    datagram[1] = (uint8_t)((packet->octets[1] & 0x80) | field[4]);
    put16(datagram + 2, (uint32_t)packet->number + (uint32_t)field[1]);
    put32(datagram + 4, get32(packet->octets + 4) + (uint32_t)field[2]);
    put32(datagram + 8, (uint32_t)field[3]);
    if (outlet->extension) {
        put32(datagram + 12, 0xBEDE0001); /* the one-byte form, and one word (RFC 8285 4.2) */
        put32(datagram + 16, word_at(outlet, packet->now));
    }
    memcpy(datagram + start, packet->octets + HEADER_SIZE, (size_t)(packet->size - HEADER_SIZE));
    if (packet->picture_id >= 0 && size >= start + PICTURE_ID_AT + 2) {
        put16(datagram + start + PICTURE_ID_AT, 0x8000 | (((uint32_t)packet->picture_id + (uint32_t)field[5]) & 0x7FFF));
        if (packet->tl0picidx >= 0 && size > start + TL0PICIDX_AT)
            datagram[start + TL0PICIDX_AT] = (uint8_t)((uint32_t)packet->tl0picidx + (uint32_t)field[6]);
    }
    return size;
}

static int send_along(Forwarder *self, PyObject *route, const Packet *packet) {
    long long field[7]; /* first, sequence, timestamp, ssrc, payload type, picture id, tl0picidx */
    if (!PyTuple_Check(route) || PyTuple_GET_SIZE(route) != 9 ||
        !PyObject_TypeCheck(PyTuple_GET_ITEM(route, 7), &OutletType)) {
        PyErr_SetString(PyExc_TypeError, "a route is a tuple of nine, the eighth an Outlet of nhipcau_fast");
        return -1;
    }
    Outlet *outlet = (Outlet *)PyTuple_GET_ITEM(route, 7);
    for (int i = 0; i < 7; i++) {
        field[i] = PyLong_AsLongLong(PyTuple_GET_ITEM(route, i));
        if (field[i] == -1 && PyErr_Occurred())
            return -1;
    }
    if (packet->number < field[0])
        return 0;
    if (outlet->srtp == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the outlet is not open");
        return -1;
    }
    if (self->pending == BATCH || (self->pending && outlet->socket && outlet->socket != self->socket))
        flush(self);
    uint8_t *datagram = self->datagrams[self->pending];
    int size = rewrite(datagram, packet, field, outlet), length = size;
    if (self->protect(outlet->srtp, datagram, &length)) {
        outlet->dropped++;
        return 0;
    }
    note_sent(outlet, size, packet->now);
    if (outlet->socket == NULL)
        return send_by_call(outlet, datagram, length);
    if (self->pending == 0) {
        Py_INCREF(outlet->socket);
        self->socket = outlet->socket;
    }
    append(self, outlet, datagram, (size_t)length);
    return 0;
}

PyDoc_STRVAR(send_doc, "send(routes, packet, number, picture, now)\n--\n\n"
    "Send a plain packet along each of `routes`, a tuple: see `Forwarder.send` in webrtc/forwarding/forward.py.\n"
    "Raises TypeError, ValueError for what is no route or no RTP packet of at most 1600 octets.");

static PyObject *forwarder_send(Forwarder *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 5 || !PyTuple_Check(args[0]) || !PyBytes_Check(args[1]) || !PyTuple_Check(args[3]) ||
        PyTuple_GET_SIZE(args[3]) < 2) {
        PyErr_SetString(PyExc_TypeError, "send(routes: tuple, packet: bytes, number: int, picture: Picture, now: float)");
        return NULL;
    }
    Py_ssize_t size = PyBytes_GET_SIZE(args[1]);
    if (size < HEADER_SIZE || size > MAX_PACKET) {
        PyErr_Format(PyExc_ValueError, "a packet of %zd octets", size);
        return NULL;
    }
    if (self->protect == NULL || self->busy) {
        PyErr_SetString(PyExc_RuntimeError, self->busy ? "send within send" : "not initialised");
        return NULL;
    }
    Packet packet = {.octets = (const uint8_t *)PyBytes_AS_STRING(args[1]), .size = (int)size};
    PyObject *given[] = {args[2], PyTuple_GET_ITEM(args[3], 0), PyTuple_GET_ITEM(args[3], 1)};
    long long *numbers[] = {&packet.number, &packet.picture_id, &packet.tl0picidx};
    for (int i = 0; i < 3; i++) {
        *numbers[i] = PyLong_AsLongLong(given[i]);
        if (*numbers[i] == -1 && PyErr_Occurred())
            return NULL;
    }
    packet.now = PyFloat_AsDouble(args[4]);
    if (packet.now == -1.0 && PyErr_Occurred())
        return NULL;
    self->busy = 1;
    Py_ssize_t routes = PyTuple_GET_SIZE(args[0]), i = 0;
    while (i < routes && send_along(self, PyTuple_GET_ITEM(args[0], i), &packet) == 0)
        i++;
    if (!self->held)
        flush(self); /* also what was pending before an error */
    self->busy = 0;
    if (i < routes)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *forwarder_hold(Forwarder *self, PyObject *none) {
    (void)none;
    self->held = 1;
    Py_RETURN_NONE;
}

static PyObject *forwarder_flush(Forwarder *self, PyObject *none) {
    (void)none;
    self->held = 0;
    if (!self->busy) { /* else `send` does it at its end */
        self->busy = 1;
        flush(self);
        self->busy = 0;
    }
    Py_RETURN_NONE;
}

static PyMethodDef forwarder_methods[] = {
    {"hold", (PyCFunction)forwarder_hold, METH_NOARGS, "Gather what is sent from now on."},
    {"flush", (PyCFunction)forwarder_flush, METH_NOARGS, "Send what has gathered, and gather no more."},
    {"send", (PyCFunction)(void (*)(void))forwarder_send, METH_FASTCALL, send_doc},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject ForwarderType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "nhipcau_fast.Forwarder",
    .tp_doc = "Sends packets along routes. `protect`: the address of libsrtp's srtp_protect.",
    .tp_basicsize = sizeof(Forwarder),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)forwarder_init,
    .tp_dealloc = (destructor)forwarder_dealloc,
    .tp_methods = forwarder_methods,
};

static PyMethodDef functions[] = {
    {"open_packet", open_packet, METH_O, open_packet_doc},
    {"read_feedback", read_feedback, METH_O, read_feedback_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "nhipcau_fast",
    .m_doc = "The hot path of a Nhip Cau bridge node.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit_nhipcau_fast(void) {
    PyObject *self = PyModule_Create(&module);
    if (self == NULL || PyModule_AddIntConstant(self, "INTERFACE", INTERFACE) < 0 ||
        PyModule_AddIntConstant(self, "HISTORY", HISTORY) < 0 || PyModule_AddIntConstant(self, "HELD", HELD) < 0 ||
        PyModule_AddType(self, &OutletType) < 0 || PyModule_AddType(self, &ForwarderType) < 0 ||
        PyModule_AddType(self, &InboxType) < 0 || PyModule_AddType(self, &TrendlineType) < 0) {
        Py_XDECREF(self);
        return NULL;
    }
    return self;
}
