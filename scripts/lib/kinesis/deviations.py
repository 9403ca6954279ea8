"""What each stand-in is known to do otherwise than documented: case -> a part of the words in which the case tells it.

A deviation that is not here fails; one that is here and no longer occurs, or occurs otherwise, fails too.
"""
ALL_THREE = "['shardId-000000000000', 'shardId-000000000001', 'shardId-000000000002']"
NOT_REFUSED = "no InvalidArgumentException"

deviations = {
    "emulator": {},
    "moto": {                                                                         # 5.2.1
        "streams_are_listed_on_by_token": "only 2 names",                             # No NextToken in ListStreams.
        "shards_are_listed_in_pages": "InvalidToken",                                 # MaxResults may not change between pages.
        "shards_are_listed_after_one": "not the two behind the first",                # ExclusiveStartShardId and all filters are ignored.
        "a_next_token_stands_alone": NOT_REFUSED,
        "the_filter_after_shard_id_lists_later_shards": ALL_THREE,
        "the_filter_at_latest_lists_open_shards": ALL_THREE,
        "the_filter_at_trim_horizon_lists_what_was_open_then": ALL_THREE,
        "the_filter_from_timestamp_leaves_out_what_was_closed_before": ALL_THREE,
        "hash_keys_end_below_two_to_the_128": "500",                                  # 2^128-1 belongs to no shard.
        "sequence_numbers_are_unique_in_a_stream": "['1', '1', '2', '2', '3', '3']",  # Each shard counts 1, 2, 3.
        "sequence_numbers_have_56_digits": "1 digits",
        "a_batch_is_answered_in_its_order": "an answer belongs to another record",    # Because the numbers are not unique.
        "a_record_has_at_most_one_mebibyte": NOT_REFUSED,
        "the_key_counts_as_part_of_a_record": NOT_REFUSED,
        "a_read_is_asked_for_at_most_10000_records": NOT_REFUSED,
        "how_far_behind_is_measured_from_now": "less than the time",                  # From the last record.
        "a_read_has_at_most_ten_megabytes": "12 MB",
        "a_wrong_iterator_is_refused": "500 instead",
        "a_sequence_number_must_be_given_for_the_types_that_need_it": "500 instead",
        "a_sequence_number_must_not_be_given_for_the_others": NOT_REFUSED,
        "another_shards_sequence_number_is_refused": NOT_REFUSED,
        "a_timestamp_must_be_given_for_its_type": NOT_REFUSED,
        "a_timestamp_must_not_lie_ahead": NOT_REFUSED,
        "puts_go_to_the_children_at_once": "the low half",                            # They go to the closed parent.
        "a_closed_shard_ends_and_names_its_children": "there is always a next iterator",
        "the_shard_count_is_at_most_doubled": NOT_REFUSED,
        "a_consumers_name_is_taken_once": "no ResourceInUseException",
        "a_subscription_pushes_records": "SubscribeToShard is answered 500",          # There is no enhanced fan-out.
        "a_subscription_ends_at_the_shards_end_with_its_children": "SubscribeToShard is answered 500",
        "a_second_subscription_within_five_seconds_is_refused": "SubscribeToShard is answered 500",
    },
    "ministack": {                                                                    # 1.5.33
        "an_on_demand_stream_begins_with_four_shards": "1 shards",
        "streams_are_listed_on_by_token": "only 2 names",                             # No NextToken in ListStreams.
        "limits_are_told": "InvalidAction",
        "shards_are_listed_in_pages": "Stream None not found",                        # A NextToken does not carry the stream.
        "a_next_token_stands_alone": NOT_REFUSED,
        "the_filter_after_shard_id_lists_later_shards": ALL_THREE,
        "the_filter_at_trim_horizon_lists_what_was_open_then": "['shardId-000000000001', 'shardId-000000000002']",
        "hash_keys_end_below_two_to_the_128": NOT_REFUSED,
        "sequence_numbers_have_56_digits": "30 digits",
        "the_key_counts_as_part_of_a_record": NOT_REFUSED,
        "a_read_is_asked_for_at_most_10000_records": NOT_REFUSED,
        "a_reader_is_told_how_far_it_is_behind": "ms instead of a second",            # Told for the last record, not for the one read.
        "a_read_has_at_most_ten_megabytes": "12 MB",
        "a_wrong_iterator_is_refused": "ExpiredIteratorException instead",
        "a_sequence_number_must_be_given_for_the_types_that_need_it": NOT_REFUSED,
        "a_sequence_number_must_not_be_given_for_the_others": NOT_REFUSED,
        "another_shards_sequence_number_is_refused": NOT_REFUSED,
        "a_timestamp_must_not_lie_ahead": NOT_REFUSED,
        "a_split_leaves_the_parent_listed_with_an_ending_number": "['shardId-000000000001', 'shardId-000000000002']",  # It is gone at once.
        "a_parents_records_can_still_be_read": "Shard shardId-000000000000 not found",
        "a_closed_shard_ends_and_names_its_children": "Shard shardId-000000000000 not found",
        "only_open_adjacent_shards_are_merged": NOT_REFUSED,
        "a_closed_shard_is_not_split_again": "ResourceNotFoundException instead",
        "a_shard_is_split_inside_its_range": "ValidationException instead",
        "the_shard_count_is_doubled_and_halved_with_parents_kept": "a parent's record is gone",
        "the_shard_count_is_at_most_doubled": NOT_REFUSED,
        "a_subscription_ends_at_the_shards_end_with_its_children": "SubscribeToShard is answered ResourceNotFoundException",
    },
}
