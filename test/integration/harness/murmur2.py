"""The partition that Kafka's Java client gives to a key, written from its specification: murmur2 with
seed 0x9747b28c over the key, sign bit cleared, modulo the number of partitions."""

M, R, MASK = 0x5BD1E995, 24, 0xFFFFFFFF


def murmur2(data):
    h = (0x9747B28C ^ len(data)) & MASK
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * M & MASK
        k ^= k >> R
        h = (h * M & MASK) ^ (k * M & MASK)
    tail = data[whole:]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * M & MASK
    h ^= h >> 13
    h = h * M & MASK
    return h ^ h >> 15


def partition_of(key, partitions):
    return (murmur2(key) & 0x7FFFFFFF) % partitions
