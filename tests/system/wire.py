"""The wire contract for tests: reads proto/gridloop.proto itself and turns dicts into bytes and back, so that a test
can say a message by name, or send any other bytes it likes. No protobuf library, on purpose: what two independent
readers of the contract agree on is the contract."""
import re
import struct

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
SCALARS = {"uint32", "uint64", "int32", "int64", "bool", "double", "string", "bytes"}


class Field:
    def __init__(self, repeated, kind, name, number):
        self.repeated, self.kind, self.name, self.number = bool(repeated), kind, name, int(number)


class Contract:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"//[^\n]*", "", file.read())
        self.enums = {m[1]: {n: int(v) for n, v in re.findall(r"(\w+)\s*=\s*(\d+)", m[2])}
                      for m in re.finditer(r"\benum\s+(\w+)\s*\{([^}]*)\}", text)}
        self.messages = {}
        for match in re.finditer(r"\bmessage\s+(\w+)\s*\{((?:[^{}]|\{[^{}]*\})*)\}", text):
            fields = [Field(*f) for f in re.findall(r"(repeated\s+)?(\w+)\s+(\w+)\s*=\s*(\d+)\s*;", match[2])]
            self.messages[match[1]] = fields

    def value_of(self, word):
        """The number of an enum's word."""
        return next(words[word] for words in self.enums.values() if word in words)

    def name_of(self, enum, number):
        return next((w for w, n in self.enums[enum].items() if n == number), number)

    def encode(self, message, values):
        by_name = {f.name: f for f in self.messages[message]}
        return b"".join(self._encode_field(by_name[name], value) for name, value in values.items())

    def _encode_field(self, field, value):
        if field.repeated:
            return b"".join(self._encode_one(field, one) for one in value)
        return self._encode_one(field, value)

    def _encode_one(self, field, value):
        if isinstance(value, dict):
            return chunk(field.number, self.encode(field.kind, value))
        if field.kind in self.enums and isinstance(value, str):
            value = self.value_of(value)
        if field.kind == "double":
            return varint(field.number << 3 | FIXED64) + struct.pack("<d", value)
        if isinstance(value, (bytes, str)):
            return chunk(field.number, value.encode() if isinstance(value, str) else value)
        return varint(field.number << 3 | VARINT) + varint(int(value))

    def decode(self, message, data):
        by_number = {f.number: f for f in self.messages[message]}
        values = {f.name: [] for f in self.messages[message] if f.repeated}
        for number, wire, raw in fields_of(data):
            field = by_number.get(number)
            if field is None:
                continue
            for value in self._decode_one(field, wire, raw):
                if field.repeated:
                    values[field.name].append(value)
                else:
                    values[field.name] = value
        return values

    def _decode_one(self, field, wire, raw):
        if field.kind in self.messages:
            return [self.decode(field.kind, raw)]
        if wire == LENGTH and field.kind not in ("string", "bytes"):  # packed numbers
            return [self._number(field, value) for value in packed(raw)]
        if field.kind == "string":
            return [raw.decode("utf-8")]
        return [raw if field.kind in ("bytes", "double") else self._number(field, raw)]

    def _number(self, field, value):
        if field.kind in self.enums:
            return self.name_of(field.kind, value)
        if field.kind == "bool":
            return bool(value)
        return value - (1 << 64) if field.kind.startswith("int") and value >> 63 else value


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data, at):
    """The number at this place and the place behind it; None when the bytes end inside it."""
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return None, at


def packed(data):
    at = 0
    while at < len(data):
        value, at = read_varint(data, at)
        yield value


def chunk(number, data):
    return varint(number << 3 | LENGTH) + varint(len(data)) + data


def frame(data):
    return varint(len(data)) + data


def fields_of(data):
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = read_varint(data, at)
        elif wire == LENGTH:
            length, at = read_varint(data, at)
            value, at = data[at:at + length], at + length
        elif wire == FIXED64:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        else:
            raise ValueError(f"wire type {wire} has no place in this contract")
        yield number, wire, value
