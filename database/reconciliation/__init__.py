"""What we remember of three books: their items, what was matched, what is open, what was proven.

How a run goes through:

1.  `items.take_in` keeps what the sources say: each item once, in versions, in the order of intakes
    (an account has one at a time). An item never changes.
2.  A cut fixes the inputs: all items up to one of them that happened before a moment. What comes
    later, or happened later, is in the next.
3.  `matching.match` works in one transaction: a crash leaves nothing of it.

    - `scope` tells what of the cut is new, that is, not in the cut of the run that matched before.
      `withdrawal` takes out what a source tells otherwise by now.
    - `work` and `reference_passes.count_keys` go over what is new, and over what is carried: open
      items, and matches whose amounts differ, which are tried again. What a reference matches at
      once never becomes a row of a table to work on.
    - the passes take from what is left, in this order: `reference_passes` and `day_passes` of L1;
      `payout_passes` of L2; `reference_passes` and `day_passes` of L3. Each proposes groups as it
      finds the rows, and `keeping` takes those rows away before the next.
    - `keeping.store` keeps the matches, and which items are open.

4.  `classify.classify` says of each open item whether it is on its way or a break; `breaks` keeps
    what there is, changes, closes and opens it again, with an event for each.
5.  `open_totals` tells X1, X2 and X3 as they were after any run.

Between runs, people take matches apart (`taking_apart.unmatch`): the next run has the items open.

What decides is what the sources say, never our numbers or the order of rows: ties go by value date,
then by source id. A match's id is a hash of what it is of.
"""
