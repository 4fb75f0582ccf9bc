//! `echo`: returns its input. The smallest task there is, and what the benchmarks call.

use serde_json::Value;

#[stepwell::task]
fn echo(input: Value) -> Value {
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_with_its_keys_in_order() {
        let input = r#"{"z":1,"a":[true,null,0.1,"é"]}"#;
        assert_eq!(echo_json(input).as_deref(), Ok(input));
    }
}
