"""Configurations of the shop's folder."""

ORDERS = """\
sources: [{type: local, path: data}]
target: {table: orders}
schema:
  strict_mode: true
  on_invalid: quarantine
  columns:
    id: {type: integer, required: true}
    name: text
"""
WRONG = ORDERS.replace("integer", "intger").replace("strict_mode", "strict")
