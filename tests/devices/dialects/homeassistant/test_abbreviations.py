from devices.dialects.homeassistant.abbreviations import (
    ABBREVIATIONS,
    DEVICE_ABBREVIATIONS,
    ENDINGS,
    STEMS,
    expanded,
)


def test_short_keys_mean_what_home_assistant_says() -> None:
    samples = {
        "avty_t": "availability_topic",
        "bri_val_tpl": "brightness_value_template",
        "clr_temp_cmd_t": "color_temp_command_topic",
        "cmps": "components",
        "curr_temp_t": "current_temperature_topic",
        "fan_mode_stat_tpl": "fan_mode_state_template",
        "hum_state_tpl": "target_humidity_state_template",
        "pl_not_avail": "payload_not_available",
        "pos_t": "position_topic",
        "pr_mode_val_tpl": "preset_mode_value_template",
        "stat_val_tpl": "state_value_template",
        "temp_hi_cmd_t": "temperature_high_command_topic",
        "uniq_id": "unique_id",
        "unit_of_meas": "unit_of_measurement",
    }
    assert {short: ABBREVIATIONS[short] for short in samples} == samples


def test_every_short_key_is_listed_once_and_no_full_key_is_one() -> None:
    made = sum(len(endings.split()) for _, endings in STEMS.values())
    assert len(ABBREVIATIONS) == made + len(set(ABBREVIATIONS) - {f"{s}_{e}" for s in STEMS for e in ENDINGS})
    assert set(ABBREVIATIONS) & set(ABBREVIATIONS.values()) == {"send_if_off"}
    assert ABBREVIATIONS["send_if_off"] == "send_if_off"


def test_full_and_short_keys_may_be_mixed() -> None:
    assert expanded({"cmd_t": "a", "state_topic": "b", "odd": 1}) == {
        "command_topic": "a",
        "state_topic": "b",
        "odd": 1,
    }
    assert expanded({"cmd_t": "a", "command_topic": "b"}) == {"command_topic": "b"}
    assert expanded({"ids": ["x"], "mf": "y"}, DEVICE_ABBREVIATIONS) == {"identifiers": ["x"], "manufacturer": "y"}
