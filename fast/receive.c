/* What comes in: many datagrams in one system call, and the header of a packet that SRTP has opened.
 *
 * The reference is in Python: `Inbox.receive` (webrtc/transport/receive.py) and `open_packet` (webrtc/rtp/packet.py).
 * A change there is a change here.
 */
#define _GNU_SOURCE
#include "receive.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* -- Inbox */

#define ROOM 2048
#define MAX_ADDRESSES 4096 /* kept, so that a datagram makes none: an address is an object, with a text in it */

typedef struct {
    PyObject_HEAD
    PyObject *addresses; /* as Python has them, by the octets of the kernel's */
    struct mmsghdr headers[HELD];
    struct iovec vectors[HELD];
    struct sockaddr_storage names[HELD];
    uint8_t datagrams[HELD][ROOM];
} Inbox;

static int inbox_init(Inbox *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, ":Inbox", names))
        return -1;
    for (int i = 0; i < HELD; i++) {
        self->vectors[i] = (struct iovec){.iov_base = self->datagrams[i], .iov_len = ROOM};
        self->headers[i].msg_hdr =
            (struct msghdr){.msg_name = &self->names[i], .msg_iov = &self->vectors[i], .msg_iovlen = 1};
    }
    PyObject *addresses = PyDict_New();
    Py_XSETREF(self->addresses, addresses);
    return addresses == NULL ? -1 : 0;
}

static void inbox_dealloc(Inbox *self) {
    Py_CLEAR(self->addresses);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* As `recvfrom` of Python's socket gives it; a new reference, or NULL with an exception. */
static PyObject *make_address(const struct sockaddr_storage *name) {
    char host[INET6_ADDRSTRLEN];
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)name;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)name;
    if (name->ss_family == AF_INET && inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host))
        return Py_BuildValue("sH", host, ntohs(v4->sin_port));
    if (name->ss_family == AF_INET6 && inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host))
        return Py_BuildValue("sHII", host, ntohs(v6->sin6_port), ntohl(v6->sin6_flowinfo), v6->sin6_scope_id);
    return PyErr_Format(PyExc_OSError, "an address of family %d", name->ss_family);
}

/* Keeps `address`, which may be NULL, and passes it on. */
static PyObject *keep_address(Inbox *self, PyObject *key, PyObject *address) {
    if (PyDict_GET_SIZE(self->addresses) >= MAX_ADDRESSES) /* strangers make up as many as they like */
        PyDict_Clear(self->addresses);
    if (address != NULL && PyDict_SetItem(self->addresses, key, address) < 0)
        Py_CLEAR(address);
    return address;
}

/* The same, kept; a new reference. */
static PyObject *address_of(Inbox *self, const struct sockaddr_storage *name, socklen_t size) {
    PyObject *key = PyBytes_FromStringAndSize((const char *)name, (Py_ssize_t)size);
    if (key == NULL)
        return NULL;
    PyObject *address = PyDict_GetItemWithError(self->addresses, key);
    Py_XINCREF(address);
    if (address == NULL && !PyErr_Occurred())
        address = keep_address(self, key, make_address(name));
    Py_DECREF(key);
    return address;
}

/* Copy a datagram to where `take` looks for it, and call that; 0, or -1 with an exception. */
static int deliver(Inbox *self, int i, Py_buffer *buffer, PyObject *take, PyObject *sendto) {
    Py_ssize_t size = (Py_ssize_t)self->headers[i].msg_len;
    size = size < buffer->len ? size : buffer->len;
    memcpy(buffer->buf, self->datagrams[i], (size_t)size);
    PyObject *address = address_of(self, &self->names[i], self->headers[i].msg_hdr.msg_namelen);
    if (address == NULL)
        return -1;
    PyObject *length = PyLong_FromSsize_t(size), *result = NULL;
    if (length != NULL) {
        PyObject *arguments[] = {length, address, sendto};
        result = PyObject_Vectorcall(take, arguments, 3, NULL);
        Py_DECREF(length);
    }
    Py_DECREF(address);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

PyDoc_STRVAR(receive_doc, "receive(socket, buffer, take, sendto)\n--\n\n"
    "Take in what has come: see `Inbox.receive` in webrtc/transport/receive.py.\n"
    "Where `take` raises, the other datagrams are taken in before the first exception goes on.");

static PyObject *inbox_receive(Inbox *self, PyObject *const *args, Py_ssize_t count) {
    Py_buffer buffer;
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "receive(socket, buffer, take, sendto)");
        return NULL;
    }
    if (self->addresses == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "not initialised");
        return NULL;
    }
    int descriptor = PyObject_AsFileDescriptor(args[0]), come = -1;
    if (descriptor < 0 || PyObject_GetBuffer(args[1], &buffer, PyBUF_WRITABLE) < 0)
        return NULL;
    for (int i = 0; i < HELD; i++)
        self->headers[i].msg_hdr.msg_namelen = sizeof self->names[i];
    for (int i = 0; come < 0 && i < HELD; i++) { /* past answers to something sent earlier: the socket is well */
        come = recvmmsg(descriptor, self->headers, HELD, MSG_DONTWAIT, NULL);
        if (come < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            come = 0;
    }
    PyObject *type = NULL, *value = NULL, *traceback = NULL;
    for (int i = 0; i < come; i++)
        if (deliver(self, i, &buffer, args[2], args[3]) < 0) {
            if (type == NULL)
                PyErr_Fetch(&type, &value, &traceback);
            else
                PyErr_Clear();
        }
    PyBuffer_Release(&buffer);
    if (type != NULL) {
        PyErr_Restore(type, value, traceback);
        return NULL;
    }
    return PyLong_FromLong(come < 0 ? 0 : come);
}

static PyMethodDef inbox_methods[] = {
    {"receive", (PyCFunction)(void (*)(void))inbox_receive, METH_FASTCALL, receive_doc},
    {NULL, NULL, 0, NULL},
};

PyTypeObject InboxType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "nhipcau_fast.Inbox",
    .tp_doc = "Takes in datagrams: see webrtc/transport/receive.py.",
    .tp_basicsize = sizeof(Inbox),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)inbox_init,
    .tp_dealloc = (destructor)inbox_dealloc,
    .tp_methods = inbox_methods,
};

/* -- headers */

#define HEADER_SIZE 12
#define VERSION 0x80
#define PADDING 0x20
#define EXTENSION 0x10
#define ONE_BYTE 0xBEDE

static PyObject *invalid(const char *what) {
    PyErr_SetString(PyExc_ValueError, what);
    return NULL;
}

/* The elements of a header extension of the one-byte form (RFC 8285 4.2) from `at` to `end`. */
static int read_elements(PyObject *elements, const uint8_t *packet, Py_ssize_t at, Py_ssize_t end) {
    while (at < end) {
        uint8_t head = packet[at++];
        if (head == 0) /* padding */
            continue;
        Py_ssize_t size = (head & 0x0F) + 1;
        if (head >= 0xF0 || at + size > end) /* 15 ends the list */
            return 0;
        PyObject *id = PyLong_FromLong(head >> 4), *value = PyBytes_FromStringAndSize((const char *)packet + at, size);
        int failed = id == NULL || value == NULL || PyDict_SetItem(elements, id, value) < 0;
        Py_XDECREF(id);
        Py_XDECREF(value);
        if (failed)
            return -1;
        at += size;
    }
    return 0;
}

static PyObject *open_octets(const uint8_t *packet, Py_ssize_t size) {
    if (size < HEADER_SIZE || (packet[0] & 0xC0) != VERSION)
        return invalid("no RTP header of version 2");
    Py_ssize_t start = HEADER_SIZE + 4 * (packet[0] & 0x0F), end = size, extension = 0;
    if (packet[0] & EXTENSION) {
        if (size < start + 4)
            return invalid("the header extension is cut off");
        if ((packet[start] << 8 | packet[start + 1]) == ONE_BYTE)
            extension = start + 4;
        start += 4 + 4 * (packet[start + 2] << 8 | packet[start + 3]);
        if (start > size)
            return invalid("the header is longer than the packet");
    }
    if (packet[0] & PADDING) {
        if (packet[size - 1] == 0)
            return invalid("padding of no length");
        end -= packet[size - 1];
    }
    if (start > end)
        return invalid("the header is longer than the packet");
    PyObject *elements = PyDict_New(), *plain = PyBytes_FromStringAndSize(NULL, HEADER_SIZE + end - start);
    if (elements == NULL || plain == NULL || (extension && read_elements(elements, packet, extension, start) < 0)) {
        Py_XDECREF(elements);
        Py_XDECREF(plain);
        return NULL;
    }
    uint8_t *octets = (uint8_t *)PyBytes_AS_STRING(plain);
    memcpy(octets, packet, HEADER_SIZE);
    octets[0] = VERSION;
    memcpy(octets + HEADER_SIZE, packet + start, (size_t)(end - start));
    return Py_BuildValue("(NN)", plain, elements);
}

const char open_packet_doc[] = "open_packet(packet)\n--\n\n"
    "The plain packet and its elements: see webrtc/rtp/packet.py. Raises ValueError where that raises InvalidPacket.";

PyObject *open_packet(PyObject *self, PyObject *argument) {
    (void)self;
    Py_buffer packet;
    if (PyObject_GetBuffer(argument, &packet, PyBUF_SIMPLE) < 0)
        return NULL;
    PyObject *opened = open_octets(packet.buf, packet.len);
    PyBuffer_Release(&packet);
    return opened;
}
