"""Makes the Parquet files beside this script with pyarrow, an independent writer: python3 make.py"""
import datetime
import pyarrow as pa
import pyarrow.parquet as pq

day = datetime.date
table = pa.table(
    {
        "USUBJID": ["01-001", "01-002", "02-001", "02-002"],
        "AGE": pa.array([40.0, 71.5, None, -3.0]),
        "COUNT": pa.array([1, 2, None, 4], pa.int64()),
        "START": pa.array([day(2013, 2, 12), day(1959, 12, 31), None, day(2024, 2, 29)]),
        "FLAG": [True, False, None, True],
    }
)
for codec in ["snappy", "zstd", "gzip", "none"]:
    pq.write_table(table, f"made-{codec}.parquet", compression=codec)
print("pyarrow", pa.__version__)

# Every flat type, each with a missing value, in three row groups; and what a flat table of participants cannot hold.
moment = datetime.datetime
decimal = __import__("decimal").Decimal
types = {
    "INT8": pa.array([-128, None, 127, 0, 5], pa.int8()),
    "INT16": pa.array([-32768, None, 32767, 0, 5], pa.int16()),
    "INT32": pa.array([-2147483648, None, 2147483647, 0, 5], pa.int32()),
    "INT64": pa.array([-9007199254740991, None, 9007199254740991, 0, 5], pa.int64()),
    "UINT8": pa.array([255, None, 0, 1, 5], pa.uint8()),
    "UINT16": pa.array([65535, None, 0, 1, 5], pa.uint16()),
    "UINT32": pa.array([4294967295, None, 0, 1, 5], pa.uint32()),
    "UINT64": pa.array([9007199254740991, None, 0, 1, 5], pa.uint64()),
    "FLOAT": pa.array([0.5, None, -2.25, float("nan"), 1e10], pa.float32()),
    "DOUBLE": pa.array([0.1, None, -1e-300, float("nan"), 1e300], pa.float64()),
    "DECIMAL": pa.array([decimal("12345.678"), None, decimal("-0.001"), decimal("0.000"), decimal("5.000")], pa.decimal128(9, 3)),
    "WIDE": pa.array([decimal("-1234567890123456789.5"), None, decimal("0.1"), decimal("2.0"), decimal("5.0")], pa.decimal128(30, 1)),
    "BOOL": pa.array([True, None, False, True, False]),
    "STRING": pa.array(["å", None, "", "a,b", "x" * 300]),
    "LARGE": pa.array(["one", None, "two", "three", "four"], pa.large_string()),
    "CODED": pa.array(["low", None, "high", "low", "low"]).dictionary_encode(),
    "DATE32": pa.array([day(1582, 10, 15), None, day(1970, 1, 1), day(2026, 2, 28), day(9999, 12, 31)], pa.date32()),
    "DATE64": pa.array([day(1959, 12, 31), None, day(1970, 1, 1), day(2026, 2, 28), day(2000, 2, 29)], pa.date64()),
    "MILLIS": pa.array([moment(1959, 12, 31, 23, 59, 59), None, moment(1970, 1, 1), moment(2026, 2, 28, 12), moment(2000, 2, 29)], pa.timestamp("ms")),
    "MICROS": pa.array([moment(1959, 12, 31, 23, 59, 59), None, moment(1970, 1, 1), moment(2026, 2, 28, 12), moment(2000, 2, 29)], pa.timestamp("us")),
    "NANOS": pa.array([moment(1959, 12, 31, 23, 59, 59), None, moment(1970, 1, 1), moment(2026, 2, 28, 12), moment(2000, 2, 29)], pa.timestamp("ns")),
    "ZONED": pa.array([moment(1959, 12, 31, 23, 59, 59), None, moment(1970, 1, 1), moment(2026, 2, 28, 12), moment(2000, 2, 29)], pa.timestamp("us", "UTC")),
    "NOTHING": pa.nulls(5),
}
table = pa.table(types)
pq.write_table(table, "types-plain.parquet", row_group_size=2, use_dictionary=False)
pq.write_table(table, "types-coded.parquet", row_group_size=2, use_dictionary=True, data_page_version="2.0", compression="lz4")
delta = {name: "DELTA_BINARY_PACKED" for name in ["INT32", "INT64"]} | {"STRING": "DELTA_BYTE_ARRAY", "LARGE": "DELTA_LENGTH_BYTE_ARRAY"}
pq.write_table(table, "types-delta.parquet", use_dictionary=False, column_encoding=delta, compression="zstd")
pq.write_table(table.slice(0, 0), "types-empty.parquet")
for name, column in {
    "list": pa.array([[1, 2], None]), "struct": pa.array([{"a": 1}, None]), "map": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
    "binary": pa.array([b"\xff\x00", None]), "time": pa.array([datetime.time(12, 30), None]),
}.items():
    pq.write_table(pa.table({"ID": ["1", "2"], "X": column}), f"refused-{name}.parquet")
