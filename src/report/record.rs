//! Records of JSON documents, each one list of fields with name, type, meaning and value side by side.

/// A record that is serialised, has a schema, and is made by `new` from what is named behind its name:
/// `record! { struct Name<'a>(run: &'a Run) { /// Meaning. name: &'a str = &run.name, } }`.
macro_rules! record {
    ($(#[$meta:meta])* $vis:vis struct $name:ident$(<$life:lifetime>)?($($from:ident: $given:ty),+) {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty = $value:expr,)+
    }) => {
        #[derive(serde::Serialize, schemars::JsonSchema)]
        $(#[$meta])*
        $vis struct $name$(<$life>)? {
            $($(#[$field_meta])* $field_vis $field: $type,)+
        }

        impl$(<$life>)? $name$(<$life>)? {
            pub(super) fn new($($from: $given),+) -> Self {
                Self { $($field: $value,)+ }
            }
        }
    };
}
pub(super) use record;
