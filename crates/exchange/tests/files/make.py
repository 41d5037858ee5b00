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
